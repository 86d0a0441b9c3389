import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { createLanes, type LaneOptions } from '../../activities/authorization/lanes.ts';

interface Item {
  readonly name: string;
  readonly deadlineAtMs: number;
}

const item = (name: string, inMs = 60_000): Item => ({ name, deadlineAtMs: Date.now() + inMs });

/** Lanes whose batches wait until they are let go; `ran` are the names of each batch. */
function heldLanes(changes: Partial<LaneOptions<Item, { name: string }>> = {}) {
  const ran: string[][] = [];
  const gates: (() => void)[] = [];
  const lanes = createLanes<Item, { name: string }>({
    lanes: 1,
    batchMax: 4,
    queueMax: 8,
    deadlineOf: (one) => one.deadlineAtMs,
    run: async (items) => {
      ran.push(items.map((one) => one.name));
      await new Promise<void>((resolve) => gates.push(resolve));
      return items.map(({ name }) => ({ name }));
    },
    ...changes,
  });
  return { lanes, ran, letGo: () => gates.shift()?.() };
}

const settled = () => sleep(1);

describe('lanes', () => {
  it('take one that waits alone at once, and all that came meanwhile together', async () => {
    const { lanes, ran, letGo } = heldLanes();
    const answers = ['a', 'b', 'c'].map((name) => lanes.submit(item(name), 'decision'));
    await settled();
    letGo();
    await settled();
    letGo();
    expect(await Promise.all(answers)).toEqual([{ name: 'a' }, { name: 'b' }, { name: 'c' }]);
    expect(ran).toEqual([['a'], ['b', 'c']]);
  });

  it('gather what trickles in after a crowd, and begin when a turn brings nothing more', async () => {
    const { lanes, ran, letGo } = heldLanes({ batchMax: 16, queueMax: 16 });
    const submit = (name: string): void => void lanes.submit(item(name), 'decision');
    submit('a');
    for (const name of ['b', 'c', 'd', 'e']) submit(name);
    letGo();
    await settled();
    letGo();
    await settled();
    // Each comes in a turn of its own, before its end, as connections that were answered bring them.
    const trickle = ([name, ...others]: string[]): void => {
      if (name === undefined) return;
      setImmediate(() => trickle(others));
      submit(name);
    };
    trickle(['f', 'g', 'h']);
    await vi.waitFor(() => expect(ran).toHaveLength(3));
    expect(ran).toEqual([['a'], ['b', 'c', 'd', 'e'], ['f', 'g', 'h']]);
    letGo();
  });

  it('take three decisions to one follow-up, so that neither starves', async () => {
    const { lanes, ran, letGo } = heldLanes({ batchMax: 8, queueMax: 20 });
    void lanes.submit(item('first'), 'decision');
    for (const name of ['f1', 'f2', 'f3']) void lanes.submit(item(name), 'followUp');
    for (const name of ['d1', 'd2', 'd3', 'd4', 'd5']) void lanes.submit(item(name), 'decision');
    letGo();
    await settled();
    expect(ran[1]).toEqual(['d1', 'd2', 'd3', 'f1', 'd4', 'd5', 'f2', 'f3']);
    letGo();
  });

  it('turn away the one that comes to a full queue, and nobody else', async () => {
    const { lanes, letGo } = heldLanes({ queueMax: 2 });
    const running = lanes.submit(item('running'), 'decision');
    const waiting = [lanes.submit(item('w1'), 'decision'), lanes.submit(item('w2'), 'followUp')];
    await expect(lanes.submit(item('late'), 'decision')).rejects.toMatchObject({ code: 'OVERLOADED' });
    letGo();
    await settled();
    letGo();
    expect(await Promise.all([running, ...waiting])).toHaveLength(3);
  });

  it('turn away at once what would be answered after its deadline, as batches go now', async () => {
    const { lanes, letGo } = heldLanes({
      run: async (items) => {
        await sleep(80);
        return items.map(({ name }) => ({ name }));
      },
    });
    await lanes.submit(item('slow'), 'decision');
    void lanes.submit(item('running'), 'decision');
    void lanes.submit(item('waiting'), 'decision');
    await expect(lanes.submit(item('hopeless', 40), 'decision')).rejects.toMatchObject({
      code: 'OVERLOADED',
    });
    expect(await lanes.submit(item('in time', 5_000), 'decision')).toEqual({ name: 'in time' });
    letGo();
  });

  it('drop what is past its deadline before it is run', async () => {
    const { lanes, ran, letGo } = heldLanes();
    void lanes.submit(item('running'), 'decision');
    const dead = lanes.submit(item('dead', 5), 'decision');
    const alive = lanes.submit(item('alive'), 'decision');
    const refused = expect(dead).rejects.toMatchObject({ code: 'OVERLOADED' });
    await sleep(10);
    letGo();
    await refused;
    await settled();
    letGo();
    expect(await alive).toEqual({ name: 'alive' });
    expect(ran).toEqual([['running'], ['alive']]);
  });

  it('drained, answer all that they took and take nothing more', async () => {
    const { lanes, letGo } = heldLanes();
    const taken = [lanes.submit(item('a'), 'decision'), lanes.submit(item('b'), 'decision')];
    let done = false;
    const drained = lanes.drain().then(() => (done = true));
    await expect(lanes.submit(item('c'), 'decision')).rejects.toMatchObject({ code: 'OVERLOADED' });
    letGo();
    await settled();
    expect(done).toBe(false);
    letGo();
    await drained;
    expect(await Promise.all(taken)).toHaveLength(2);
  });

  it('give the failure of a batch to those in it alone', async () => {
    let count = 0;
    const { lanes } = heldLanes({
      run: async (items) => {
        count += 1;
        if (count === 1) throw new Error('broken');
        return items.map(({ name }) => ({ name }));
      },
    });
    await expect(lanes.submit(item('a'), 'decision')).rejects.toThrow('broken');
    expect(await lanes.submit(item('b'), 'decision')).toEqual({ name: 'b' });
  });
});
