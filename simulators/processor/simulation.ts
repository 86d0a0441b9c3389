import type { DatabaseSync } from 'node:sqlite';
import type { KeyObject } from 'node:crypto';
import type { Logger } from 'pino';
import type { Clock } from './clock.ts';
import type { Draws } from './draws.ts';
import type { Faults } from './faults/faults.ts';
import type { ProcessorKeys } from './keys.ts';
import type { Platform } from './platform.ts';
import type { FindProduct } from './products.ts';
import type { Sender } from './sender.ts';
import type { Answers } from './store/answers.ts';
import type { Cards } from './store/cards.ts';
import type { ClearingFiles } from './store/clearing-files.ts';
import type { MessageLog } from './store/messages.ts';
import type { Settings } from './store/settings.ts';
import type { Scenarios } from './store/scenarios.ts';
import type { Traces } from './store/traces.ts';
import type { WaitingRecords } from './store/waiting-records.ts';

/** Everything the routes of the simulator work with. */
export interface Simulation {
  readonly database: DatabaseSync;
  readonly settings: Settings;
  readonly cards: Cards;
  readonly traces: Traces;
  readonly messages: MessageLog;
  readonly answers: Answers;
  readonly waitingRecords: WaitingRecords;
  readonly clearingFiles: ClearingFiles;
  /** Where the bytes of clearing files lie. */
  readonly fileFolder: string;
  readonly scenarios: Scenarios;
  readonly clock: Clock;
  readonly draws: Draws;
  readonly faults: Faults;
  readonly findProduct: FindProduct;
  readonly keys: ProcessorKeys;
  readonly ownKey: KeyObject;
  readonly platform: Platform;
  readonly sender: Sender;
  readonly logger: Logger;
  now(): Date;
}
