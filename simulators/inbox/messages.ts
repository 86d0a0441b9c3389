/** One mail or text message as it arrived; a mail to several recipients is one message for each. */
export interface InboxMessage {
  readonly id: number;
  readonly kind: 'mail' | 'sms';
  readonly to: string;
  readonly from: string | null;
  readonly subject: string | null;
  readonly text: string;
  readonly receivedAt: string;
}

export interface Messages {
  add(message: Omit<InboxMessage, 'id' | 'receivedAt'>): InboxMessage;
  /** Newest first; `to` (any letter case) picks one recipient. */
  list(to: string | null): readonly InboxMessage[];
  clear(): void;
}

/** The newest `capacity` messages, in memory. */
export function createMessages(capacity = 10_000, now: () => Date = () => new Date()): Messages {
  let kept: InboxMessage[] = [];
  let lastId = 0;
  return {
    add: (message) => {
      lastId += 1;
      const added = { id: lastId, ...message, receivedAt: now().toISOString() };
      kept.push(added);
      // Cut in steps, so that a full inbox does not copy the list for each message.
      if (kept.length >= capacity * 1.1) kept = kept.slice(-capacity);
      return added;
    },
    list: (to) => {
      const newestFirst = kept.slice(-capacity).reverse();
      const wanted = to?.toLowerCase();
      return wanted === undefined
        ? newestFirst
        : newestFirst.filter((one) => one.to.toLowerCase() === wanted);
    },
    clear: () => {
      kept = [];
    },
  };
}
