import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { createClock } from './clock.ts';
import { createContractApp } from './contract/app.ts';
import { createControlApp } from './control/app.ts';
import { reverseUndecided } from './control/authorize.ts';
import { createDayEnd } from './control/day-end.ts';
import { createDraws } from './draws.ts';
import { createFaults } from './faults/faults.ts';
import { listen } from './http.ts';
import type { ProcessorKeys } from './keys.ts';
import type { PlatformOptions } from './platform.ts';
import { createPlatform } from './platform.ts';
import { readProducts } from './products.ts';
import type { PartnerApiOptions } from './scenario/partner-api.ts';
import { createPartnerApi } from './scenario/partner-api.ts';
import { createPartnerServer } from './scenario/partner-server.ts';
import type { SenderTimes } from './sender.ts';
import { createSender, DEFAULT_TIMES } from './sender.ts';
import type { Simulation } from './simulation.ts';
import { openAnswers } from './store/answers.ts';
import { openCards } from './store/cards.ts';
import { openClearingFiles } from './store/clearing-files.ts';
import { openDatabase } from './store/database.ts';
import { openMessageLog } from './store/messages.ts';
import { openRepeats } from './store/repeats.ts';
import { openScenarios } from './store/scenarios.ts';
import type { Settings } from './store/settings.ts';
import { openSettings } from './store/settings.ts';
import { openTraces } from './store/traces.ts';
import { openWaitingRecords } from './store/waiting-records.ts';

export interface ProcessorSimulatorOptions {
  /** 127.0.0.1 unless told otherwise. */
  readonly host?: string;
  /** 0, the default, takes any free port. */
  readonly controlPort?: number;
  readonly contractPort?: number;
  readonly token: string;
  /** PEM texts; `ca` verifies the platform's client certificate. */
  readonly contractTls: { readonly cert: string; readonly key: string; readonly ca: string };
  readonly platform: PlatformOptions;
  readonly storeFolder: string;
  readonly keys: ProcessorKeys;
  /** Seed of a new store; drawn when absent, ignored when the store has one. */
  readonly seed?: number;
  readonly times?: Partial<SenderTimes>;
  readonly logger: Logger;
  readonly now?: () => Date;
  /** The partner's own certificate for the platform, for scenarios; without it they do only network traffic. */
  readonly scenarioPartner?: PartnerApiOptions | null;
  /** Control calls of the partner simulator, for scenarios that look at notifications. */
  readonly partnerServer?: { readonly url: string; readonly token: string } | null;
}

export interface ProcessorSimulator {
  readonly controlUrl: string;
  readonly contractUrl: string;
  stop(): Promise<void>;
}

/** Starts the simulator in this process: control listener, contract listener, repeats left by an earlier run. */
export async function startProcessorSimulator(
  options: ProcessorSimulatorOptions,
): Promise<ProcessorSimulator> {
  const { host = '127.0.0.1', logger } = options;
  const database = openDatabase(options.storeFolder);
  const settings = openSettings(database);
  const clock = createClock(settings, options.now ?? (() => new Date()));
  const draws = createDraws(database, settings, options.seed ?? null);
  const parts = {
    cards: openCards(database),
    messages: openMessageLog(database),
    faults: createFaults(draws),
    platform: createPlatform(options.platform),
    draws,
    logger,
    clock,
    now: clock.now,
  };
  const times = { ...DEFAULT_TIMES, ...options.times };
  const simulation: Simulation = {
    ...parts,
    database,
    settings,
    traces: openTraces(database),
    answers: openAnswers(database),
    waitingRecords: openWaitingRecords(database),
    clearingFiles: openClearingFiles(database),
    fileFolder: join(options.storeFolder, 'clearing-files'),
    scenarios: openScenarios(database),
    sender: createSender({ ...parts, repeats: openRepeats(database), times }),
    findProduct: readProducts(),
    keys: options.keys,
    ownKey: ownKey(settings),
  };
  const dayEnd = createDayEnd(simulation);
  const partnerApi = options.scenarioPartner ? createPartnerApi(options.scenarioPartner) : null;
  const partners = {
    partner: partnerApi?.call ?? null,
    partnerServer: options.partnerServer ? createPartnerServer(options.partnerServer) : null,
  };
  const closeStore = async (): Promise<void> => {
    dayEnd.stop();
    simulation.sender.stop();
    await Promise.all([simulation.platform.close(), partnerApi?.close()]);
    database.close();
  };
  try {
    const control = await listen(createControlApp(simulation, dayEnd, options.token, partners), {
      host,
      port: options.controlPort ?? 0,
    });
    const contract = await listen(
      createContractApp(simulation),
      { host, port: options.contractPort ?? 0 },
      options.contractTls,
    ).catch(async (error: unknown) => {
      await control.close();
      throw error;
    });
    simulation.sender.resume();
    reverseUndecided(simulation);
    return {
      controlUrl: `http://localhost:${control.port}`,
      contractUrl: `https://localhost:${contract.port}`,
      stop: async () => {
        await Promise.all([control.close(), contract.close()]);
        await closeStore();
      },
    };
  } catch (error) {
    await closeStore();
    throw error;
  }
}

/** Our RSA key, made once per store: the platform encrypts to it. */
function ownKey(settings: Settings): KeyObject {
  const kept = settings.read('ownKey');
  if (kept !== null) return createPrivateKey(kept);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  settings.write('ownKey', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  return privateKey;
}
