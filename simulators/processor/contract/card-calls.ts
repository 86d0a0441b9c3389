import { check } from '../validation.ts';
import { cardNotFound, invalid, SimulatorError } from '../errors.ts';
import type { App } from '../http.ts';
import type { Simulation } from '../simulation.ts';
import type { ProcessorCard } from '../store/cards.ts';
import { cardStatus } from '../store/cards.ts';
import type { AnswerOnce } from './answer-once.ts';
import { alreadyDone } from './answer-once.ts';
import { cvcBody, generateBody, lockBody, unlockBody } from './bodies.ts';
import { describeCard, generateCard } from './generate-card.ts';

/** Lock codes that cannot be lifted (cards 4.5). */
const IRREVERSIBLE = new Set([1, 2, 5, 8]);

/** The calls of the contract about cards (spec 2). */
export function mountCardCalls(app: App, simulation: Simulation, answerOnce: AnswerOnce): void {
  const { cards } = simulation;
  const byPath = (id: string): ProcessorCard => {
    const card = cards.byId(id);
    if (card === null) throw cardNotFound();
    return card;
  };

  app.post('/v1/cards/virtual', (c) =>
    answerOnce(c, async (body) => ({
      status: 201,
      body: await generateCard(simulation, check(body, generateBody)),
    })),
  );

  app.get('/v1/cards', async (c) => {
    const reference = c.req.query('reference');
    if (reference === undefined) throw invalid([{ field: 'reference', message: 'is required' }]);
    const card = cards.byReference(reference);
    if (card === null) return c.json({ items: [] });
    return c.json({ items: [{ ...(await describeCard(simulation, card)), status: cardStatus(card) }] });
  });

  app.post('/v1/cards/:id/lock', (c) =>
    answerOnce(c, (body) => {
      const card = byPath(c.req.param('id'));
      const { code, at } = check(body, lockBody);
      if (card.locks.some((lock) => lock.code === code && lock.placedBy === 'platform')) throw alreadyDone();
      cards.setLocks(card.processorCardId, [...card.locks, { code, placedBy: 'platform', at }]);
      return { status: 200, body: { status: 'LOCKED' } };
    }),
  );

  app.post('/v1/cards/:id/unlock', (c) =>
    answerOnce(c, (body) => {
      const card = byPath(c.req.param('id'));
      const { codes } = check(body, unlockBody);
      if (codes.some((code) => IRREVERSIBLE.has(code))) {
        throw new SimulatorError(422, 'LOCK_IRREVERSIBLE', 'A lock with this code cannot be lifted.');
      }
      const left = card.locks.filter((lock) => !codes.some((code) => code === lock.code));
      if (left.length === card.locks.length) throw alreadyDone();
      cards.setLocks(card.processorCardId, left);
      return { status: 200, body: { status: cardStatus({ ...card, locks: left }) } };
    }),
  );

  app.post('/v1/cards/:id/cvc', (c) =>
    answerOnce(c, (body) => {
      const card = byPath(c.req.param('id'));
      const { version } = check(body, cvcBody);
      if (version <= card.cvcVersion) throw alreadyDone();
      cards.setCvcVersion(card.processorCardId, version);
      return { status: 200, body: { version } };
    }),
  );
}
