import type { AnchorSink } from './anchor-sink.ts';
import { type AnchoredHeads, openAnchor } from './audit-anchor.ts';
import type { Vault } from './vault.ts';

/** What was anchored lately. */
export interface ReadAnchors {
  readonly checked: number;
  /** Anchors that no key of ours has signed. */
  readonly forged: number;
  /** When the newest one was made; null without any. */
  readonly lastAt: string | null;
  readonly heads: AnchoredHeads['heads'];
}

/** Opens the newest anchors of a sink. */
export async function readAnchors(vault: Vault, sink: AnchorSink): Promise<ReadAnchors> {
  const anchors = await sink.newest();
  const opened = anchors.map((one) => openAnchor(vault, one)).filter((one) => one !== null);
  return {
    checked: anchors.length,
    forged: anchors.length - opened.length,
    lastAt: opened.at(-1)?.at ?? null,
    heads: opened.flatMap((one) => one.heads),
  };
}
