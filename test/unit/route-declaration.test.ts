import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { channel } from '../../api/channel.ts';
import { mount } from '../../api/mount.ts';
import type { Route } from '../../api/route.ts';
import type { Services } from '../../api/services.ts';

const declared = {
  operation: 'readNothing',
  method: 'GET',
  path: '/nothing',
  summary: 'Read nothing',
  role: 'nobody-asked',
  owner: 'none',
  jwe: 'none',
  idempotency: 'ignored',
  answers: { 200: { description: 'nothing' } },
  refusals: [],
  handle: async () => ({ status: 200 }),
} as unknown as Route;

const channelWith = (route: Partial<Route>) =>
  channel({
    name: 'public',
    prefix: '',
    identify: async () => {
      throw new Error('not called');
    },
    admit: async (_services, _arrival, known) => known,
    routes: [route as Route],
  });

const mountOnly = (route: Partial<Route>) => mount(new Hono(), {} as Services, channelWith(route));

describe('a route without a declaration', () => {
  it('is mounted when it declares everything', () => {
    expect(mountOnly(declared)).toHaveLength(1);
  });

  it.each(['role', 'owner', 'jwe', 'idempotency', 'operation'] as const)(
    'is not mounted without %s',
    (member) => {
      const { [member]: _left, ...rest } = declared;
      expect(() => mountOnly(rest)).toThrow(member);
    },
  );
});
