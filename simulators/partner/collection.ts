import type { Store } from './store.ts';

/** Records of one kind: read from memory, written through to the store. */
export interface Collection<T> {
  get(id: string): T | undefined;
  set(id: string, value: T): void;
  delete(id: string): boolean;
  /** In the order of their first writing. */
  all(): T[];
  clear(): void;
}

/** A list of numbered records; numbers start at 1 and rise. */
export interface Journal<T extends { readonly n: number }> {
  get(n: number): T | undefined;
  /** Adds what `make` returns for the next number. */
  add(make: (n: number) => T): T;
  update(value: T): void;
  all(): T[];
  clear(): void;
}

/** Opens the collection `name` with what the store holds of it. */
export function openCollection<T>(store: Store, name: string): Collection<T> {
  const records = new Map<string, T>();
  for (const { id, value } of store.load(name)) records.set(id, JSON.parse(value) as T);
  return {
    get: (id) => records.get(id),
    set(id, value) {
      records.set(id, value);
      store.put(name, id, JSON.stringify(value));
    },
    delete(id) {
      store.remove(name, id);
      return records.delete(id);
    },
    all: () => [...records.values()],
    clear() {
      records.clear();
      store.removeAll(name);
    },
  };
}

/** Opens the journal `name`; above `limit` records the oldest is forgotten. */
export function openJournal<T extends { readonly n: number }>(
  store: Store,
  name: string,
  limit: number,
): Journal<T> {
  const records = new Map<number, T>();
  let last = 0;
  for (const { id, value } of store.load(name)) {
    records.set(Number(id), JSON.parse(value) as T);
    last = Math.max(last, Number(id));
  }
  const write = (value: T): void => {
    records.set(value.n, value);
    store.put(name, String(value.n), JSON.stringify(value));
  };
  return {
    get: (n) => records.get(n),
    add(make) {
      last += 1;
      const value = make(last);
      write(value);
      if (records.size > limit) {
        const oldest = records.keys().next().value ?? 0;
        records.delete(oldest);
        store.remove(name, String(oldest));
      }
      return value;
    },
    update(value) {
      if (records.has(value.n)) write(value);
    },
    all: () => [...records.values()],
    clear() {
      records.clear();
      store.removeAll(name);
    },
  };
}
