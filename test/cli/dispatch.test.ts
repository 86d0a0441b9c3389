import { expect, test } from 'vitest';
import { dispatch } from '../../cli/cardloom.ts';
import type { Command } from '../../cli/command.ts';
import { CommandFailed, wrongUsage } from '../../cli/exit-code.ts';
import { recordingIo } from './io.ts';

const command = (name: string, run: Command['run']): Command => ({
  name,
  usage: '[THING]',
  summary: `does ${name}`,
  run,
});

const known = {
  greet: async () =>
    command('greet', async (args, io) => {
      io.out(`hello ${args.join(' ')}`);
      return 0;
    }),
  refuse: async () => command('refuse', async () => Promise.reject(new CommandFailed(75, 'busy'))),
  misuse: async () => command('misuse', async () => Promise.reject(wrongUsage('no thing'))),
};

async function run(...argv: string[]) {
  const io = recordingIo({}, '/');
  const code = await dispatch(argv, io, known);
  return { code, printed: io.printed, complained: io.complained };
}

test('a command gets its arguments without --json', async () => {
  expect(await run('greet', '--json', 'world')).toEqual({
    code: 0,
    printed: ['hello world'],
    complained: [],
  });
});

test('an unknown command gives 64 and the usage', async () => {
  const { code, complained } = await run('dance');
  expect(code).toBe(64);
  expect(complained[0]).toBe('cardloom: unknown command dance');
  expect(complained.join('\n')).toContain('does greet');
});

test('no command at all gives 64 and the usage', async () => {
  expect((await run()).code).toBe(64);
});

test('--help is answered on standard output', async () => {
  expect(await run('greet', '--help')).toEqual({
    code: 0,
    printed: ['cardloom greet [THING]', '  does greet'],
    complained: [],
  });
  expect((await run('--help')).code).toBe(0);
});

test('a failed command gives its own code and message', async () => {
  expect(await run('refuse')).toEqual({ code: 75, printed: [], complained: ['busy'] });
  expect(await run('misuse')).toEqual({
    code: 64,
    printed: [],
    complained: ['no thing', 'usage: cardloom misuse [THING]'],
  });
});
