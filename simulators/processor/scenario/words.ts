/** A call of the control API. */
export interface ControlCall {
  readonly method: 'POST' | 'PUT';
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
}

type Arguments = Readonly<Record<string, unknown>>;

/** The card of the setup, when the step names no other. */
type WithCard = (input: Arguments) => Arguments;

type ToCall = (input: Arguments, withCard: WithCard, today: string) => ControlCall;

const post = (path: string, body: Arguments): ControlCall => ({
  method: 'POST',
  path: `/simulator${path}`,
  body,
});

/** A call about a trace: `trace` goes into the path. */
const onTrace =
  (what: string): ToCall =>
  ({ trace, ...body }) =>
    post(`/authorizations/${encodeURIComponent(String(trace))}/${what}`, body);

/** Words that are one call of the control API (spec 6.5); `config` and `replay` are ours. */
const CALLS: Readonly<Record<string, ToCall>> = {
  authorize: (input, withCard) => post('/authorizations', withCard(input)),
  balanceInquiry: (input, withCard) => post('/balance-inquiries', withCard(input)),
  increment: onTrace('increment'),
  advice: (input, withCard, today) =>
    input['trace'] === undefined
      ? post('/advices', withCard(input))
      : onTrace('advice')(input, withCard, today),
  reverse: onTrace('reverse'),
  clear: onTrace('clear'),
  refund: (input, withCard, today) =>
    input['trace'] === undefined
      ? post('/refunds', withCard(input))
      : onTrace('refund')(input, withCard, today),
  chargeback: onTrace('chargeback'),
  repeat: onTrace('repeat'),
  forcePost: (input, withCard) => post('/force-posts', withCard(input)),
  pinTries: (input, withCard) => post('/pin-tries', withCard(input)),
  cardEvent: (input, withCard) => post('/card-events', withCard(input)),
  clearingFile: (input, _, today) => post('/clearing-files', { businessDate: today, ...input }),
  fault: (input) => post('/faults', input),
  clock: (input) => ({ method: 'PUT', path: '/simulator/clock', body: input }),
  config: (input) => ({ method: 'PUT', path: '/simulator/config', body: input }),
  replay: (input) => post('/replays', input),
};

/** Every word that a step may have. */
export const STEP_WORDS: readonly string[] = [...Object.keys(CALLS), 'api', 'parallel', 'wait'];

export const isStepWord = (name: string): boolean => STEP_WORDS.includes(name);

/** The control call of a step; null for words that are none. */
export function controlCallOf(
  word: string,
  input: Arguments,
  card: { readonly cardId: number } | null,
  today: string,
): ControlCall | null {
  const withCard: WithCard = (given) => {
    const named = ['cardId', 'processorCardId', 'tokenRef'].some((name) => given[name] !== undefined);
    return named || card === null ? given : { cardId: card.cardId, ...given };
  };
  return CALLS[word]?.(input, withCard, today) ?? null;
}
