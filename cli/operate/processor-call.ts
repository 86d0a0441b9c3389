import type { CommandIo } from '../command.ts';
import { dataDirOf, readStartSettings } from '../config.ts';
import { CommandFailed, exitCode } from '../exit-code.ts';
import { readQuickstart } from '../quickstart.ts';

export interface ProcessorAnswer {
  readonly status: number;
  readonly content: Record<string, unknown>;
}

/** One call of the processor simulator's control API. A text goes out as YAML, an object as JSON. */
export type AskProcessor = (
  method: 'GET' | 'POST',
  path: string,
  body?: object | string,
) => Promise<ProcessorAnswer>;

/** A call whose refusal ends the command. */
export type CallProcessor = (
  method: 'GET' | 'POST',
  path: string,
  body?: object,
) => Promise<Record<string, unknown>>;

/** The control API of the running stack. Throws `CommandFailed` 1 when nothing runs or nobody answers. */
export function askProcessor(io: CommandIo): AskProcessor {
  const { values } = readStartSettings(io.environment);
  const quickstart = readQuickstart(dataDirOf(values, io.projectDir));
  if (quickstart === null) throw new CommandFailed(exitCode.failed, 'nothing runs here: npm start');
  const { processorUrl, token } = quickstart.simulators;
  return async (method, path, body) => {
    const isText = typeof body === 'string';
    const answer = await fetch(`${processorUrl}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        'content-type': isText ? 'application/yaml' : 'application/json',
      },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    }).catch(() => null);
    if (answer === null) {
      throw new CommandFailed(exitCode.failed, `the processor simulator does not answer at ${processorUrl}`);
    }
    const content = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
    return { status: answer.status, content };
  };
}

/** Likewise, with every refusal thrown as `CommandFailed` 1. */
export function callProcessor(io: CommandIo): CallProcessor {
  const ask = askProcessor(io);
  return async (method, path, body) => {
    const { status, content } = await ask(method, path, body);
    if (status < 400) return content;
    const said = [content['title'], content['detail'] ?? content['message']].filter(Boolean).join(': ');
    throw new CommandFailed(exitCode.failed, `the processor simulator refused (${status}) ${said}`.trimEnd());
  };
}
