import { beforeAll, describe, expect, inject, it } from 'vitest';
import { type Quickstart, readQuickstart } from '../../cli/quickstart.ts';
import { runCardloom } from './cardloom.ts';

const environment = inject('stackEnvironment');

interface Execution {
  readonly execution: { readonly workflowId: string; readonly runId: string };
  readonly type: { readonly name: string };
  readonly searchAttributes?: { readonly indexedFields?: Record<string, WirePayload> };
}

interface WirePayload {
  readonly metadata: Record<string, string>;
  readonly data: string;
}

/** What a person sees in the Temporal UI, asked for as its page does. */
describe('the Temporal UI', () => {
  let quickstart: Quickstart;
  let facts: Record<string, string | number>;
  let executions: readonly Execution[];

  const api = async (path: string): Promise<unknown> => {
    const { temporalUiUrl, temporalNamespace } = quickstart;
    const answer = await fetch(`${temporalUiUrl}/api/v1/namespaces/${temporalNamespace}/${path}`);
    expect(answer.status).toBe(200);
    return await answer.json();
  };
  const named = (type: string) => executions.filter((one) => one.type.name === type);

  beforeAll(async () => {
    const running = readQuickstart(inject('stackDataDir'));
    if (running === null) throw new Error('no stack runs');
    quickstart = running;
    const demo = await runCardloom(['demo', '--only', 'main', '--json'], environment);
    expect(demo.code, demo.output).toBe(0);
    ({ facts } = JSON.parse(demo.output) as { facts: Record<string, string | number> });
    ({ executions } = (await api('workflows?maximumPageSize=500')) as { executions: readonly Execution[] });
  }, 60_000);

  it('lists verifications and notifications with their search attributes', () => {
    const verification = named('customerVerification').find(
      (one) => one.execution.workflowId === `customer-verification:${facts['verificationId']}`,
    );
    expect(Object.keys(verification?.searchAttributes?.indexedFields ?? {})).toEqual(
      expect.arrayContaining(['PartnerId', 'ProgrammeId', 'SubjectId', 'Stage']),
    );
    expect(named('notificationBatch').length).toBeGreaterThan(0);
    const [delivery] = named('notificationDelivery');
    expect(Object.keys(delivery?.searchAttributes?.indexedFields ?? {})).toEqual(
      expect.arrayContaining(['PartnerId', 'ProgrammeId', 'Operation', 'DeliveryStage']),
    );
  });

  it('gets payloads that only the codec server makes readable', async () => {
    const id = `customer-verification:${facts['verificationId']}`;
    const { history } = (await api(`workflows/${encodeURIComponent(id)}/history`)) as {
      history: {
        events: { workflowExecutionStartedEventAttributes?: { input: { payloads: WirePayload[] } } }[];
      };
    };
    const payloads = history.events[0]?.workflowExecutionStartedEventAttributes?.input.payloads ?? [];
    expect(payloads).toHaveLength(1);
    expect(Buffer.from(payloads[0]?.metadata['encoding'] ?? '', 'base64').toString()).toBe(
      'binary/encrypted',
    );
    const codec = `http://localhost:${environment['CODEC_PORT']}/decode`;
    const answer = await fetch(codec, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        origin: quickstart.temporalUiUrl,
        'x-namespace': quickstart.temporalNamespace,
      },
      body: JSON.stringify({ payloads }),
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('access-control-allow-origin')).toBe(quickstart.temporalUiUrl);
    const decoded = (await answer.json()) as { payloads: WirePayload[] };
    const input: unknown = JSON.parse(Buffer.from(decoded.payloads[0]?.data ?? '', 'base64').toString());
    expect(input).toMatchObject({ verificationId: facts['verificationId'], customerId: facts['userId'] });
  });
});
