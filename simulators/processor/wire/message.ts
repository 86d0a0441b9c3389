/** Words for the messages that go to the platform (spec 6.3); `clearingFile` is the announcement of a file. */
export const PLATFORM_MESSAGES = [
  'authorization',
  'incremental',
  'advice',
  'reversal',
  'clearing',
  'refund',
  'clearingFile',
  'event',
  'otp',
] as const;
export type PlatformMessage = (typeof PLATFORM_MESSAGES)[number];

/** Body of a message about a card (spec 3.2); the members depend on the message. */
export interface NetworkMessage {
  readonly processorCardId: string;
  readonly externalTransactionId: string;
  readonly networkReferenceId: string;
  readonly amount: number;
  readonly currency: string;
  readonly originalAmount?: number;
  readonly originalCurrency?: string;
  readonly conversionRate?: string;
  readonly stan?: string;
  readonly date?: string;
  readonly acquirerId?: string;
  readonly retrievalReferenceNumber?: string;
  readonly type?: string;
  readonly entryMode?: string;
  readonly terminalId?: string;
  readonly description?: string;
  readonly transactionData?: Readonly<Record<string, string | number>>;
  readonly [member: string]: unknown;
}

/** A message on its way to the platform. `idempotencyKey` guards the transport of exactly this body. */
export interface Outbound {
  readonly traceId: string | null;
  readonly message: PlatformMessage;
  readonly path: string;
  readonly idempotencyKey: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** ISO 8601 UTC with milliseconds. */
export const instant = (time: Date): string => time.toISOString();

/** Local time of the terminal with its offset (DE 12, 13), to the second; all terminals stand at UTC. */
export const localTime = (time: Date): string => `${time.toISOString().slice(0, 19)}+00:00`;

/** Date part, `YYYY-MM-DD`. */
export const dateOf = (time: Date): string => time.toISOString().slice(0, 10);
