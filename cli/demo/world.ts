import type { Quickstart } from '../quickstart.ts';
import { createPartnerClient, type PartnerClient } from './partner-client.ts';
import { createInbox } from './inbox.ts';
import { createPartnerControl, type PartnerControl } from './partner-control.ts';
import { createProcessorControl, type ProcessorControl } from './processor-control.ts';
import { newPerson, type Person } from './person.ts';

/** The decision trace of a transaction, as `cardloom trace` reads it. */
export type ReadTrace = (transactionId: string) => Promise<readonly TracedStep[]>;

export interface TracedStep {
  readonly no: number;
  readonly check: string;
  readonly outcome: string;
}

/** Everybody who takes part in the story. */
export interface World {
  readonly person: Person;
  readonly programme: { readonly id: string; readonly issuerCode: string; readonly virtualConfigId: string };
  readonly partner: PartnerClient;
  readonly partnerServer: PartnerControl;
  readonly network: ProcessorControl;
  readonly readTrace: ReadTrace;
  /** Subjects of the mails to an address, newest first. */
  mailsTo(email: string): Promise<string[]>;
  /** Address of a workflow in the Temporal UI. */
  linkTo(workflowId: string): string;
  close(): Promise<void>;
}

const PROGRAMME = 'credit';

/** The world of one run against the stack of `quickstart`, with a person of its own. */
export function createWorld(quickstart: Quickstart, readTrace: ReadTrace): World {
  const programme = quickstart.programmes[PROGRAMME];
  const virtualConfigId = programme?.configIds['virtual'];
  if (programme === undefined || virtualConfigId === undefined) {
    throw new Error(`the demo data has no programme ${PROGRAMME} with a virtual card`);
  }
  const partner = createPartnerClient(quickstart, programme.issuerCode);
  const partnerServer = createPartnerControl(quickstart);
  const network = createProcessorControl(quickstart);
  const workflows = `${quickstart.temporalUiUrl}/namespaces/${quickstart.temporalNamespace}/workflows`;
  return {
    person: newPerson(),
    programme: { id: programme.id, issuerCode: programme.issuerCode, virtualConfigId },
    partner,
    partnerServer,
    network,
    readTrace,
    mailsTo: createInbox(quickstart),
    linkTo: (workflowId) => `${workflows}/${encodeURIComponent(workflowId)}`,
    close: async () => void (await Promise.all([partner.close(), partnerServer.close(), network.close()])),
  };
}
