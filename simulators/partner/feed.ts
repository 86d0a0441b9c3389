export interface FeedEvent {
  readonly kind: 'request' | 'inbox' | 'violation' | 'mode' | 'rules' | 'accounts' | 'reset';
  readonly data: unknown;
}

/** News for whoever watches: the inspect page, or a test that waits for something. */
export interface Feed {
  publish(event: FeedEvent): void;
  /** Returns the function that ends the subscription. */
  subscribe(listener: (event: FeedEvent) => void): () => void;
}

/** A feed inside the process; listeners are called in the order of their subscription. */
export function createFeed(): Feed {
  const listeners = new Set<(event: FeedEvent) => void>();
  return {
    publish: (event) => listeners.forEach((listener) => listener(event)),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
