/** Everyone who may act (channels 3); taken apart only by an exhaustive switch. */
export type Actor =
  | { readonly type: 'PARTNER'; readonly id: string }
  | { readonly type: 'PROCESSOR'; readonly id: string }
  | { readonly type: 'USER'; readonly id: string }
  | { readonly type: 'OPERATOR'; readonly id: string }
  | { readonly type: 'SYSTEM'; readonly id: string }
  | { readonly type: 'CLI'; readonly id: string };

/** Who calls, for the audit trail and for row security; `partnerId` null = the engine, which sees all. */
export interface Caller {
  readonly partnerId: number | null;
  readonly actor: Actor;
  readonly requestId: string;
  readonly ip: string | null;
}
