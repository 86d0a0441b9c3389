/** An answer over HTTP; `body` null when it was not JSON. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: unknown;
}

export interface PartnerCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root of the certificate listener, `/secure/...` or `/lifecycle/v1/...`. */
  readonly path: string;
  readonly body?: unknown;
  /** The answer comes encrypted to a key of this program, and is opened. */
  readonly encrypted?: boolean;
}

/** A call of the platform by the partner's certificate. */
export type CallPartnerApi = (call: PartnerCall) => Promise<HttpAnswer>;

/** What the partner's own server got. `n` rises with time. */
export interface PartnerRecord {
  readonly n: number;
  /** Last part of the path: `transaction-event`, `debit`. */
  readonly operation: string;
  readonly body: unknown;
}

/** The record of the partner's server. */
export interface PartnerServer {
  notifications(): Promise<readonly PartnerRecord[]>;
  calls(): Promise<readonly PartnerRecord[]>;
}

/** Everything a scenario works with; what is null was not configured, and steps that need it fail. */
export interface ScenarioWorld {
  /** The simulator's own control API. */
  readonly control: (method: string, path: string, body?: unknown) => Promise<HttpAnswer>;
  readonly partner: CallPartnerApi | null;
  readonly partnerServer: PartnerServer | null;
  /** Draws from `seed` until the returned function is called. */
  readonly borrowSeed: (seed: number) => () => void;
  readonly now: () => Date;
}

/** A step cannot be done: something is missing, or somebody refused. */
export class StepFailed extends Error {}
