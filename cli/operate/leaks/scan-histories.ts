import type { Client } from '@temporalio/client';
import type { Payload, PayloadCodec } from '@temporalio/common';
import type { Detector, Leak, LeakKind } from './detector.ts';
import type { Scanned } from './scan-logs.ts';

/** Reads every history of the namespace: ids and names as they are, payloads encrypted and opened. */
export async function scanHistories(client: Client, detect: Detector): Promise<Scanned> {
  const codecs = client.options.loadedDataConverter.payloadCodecs;
  const leaks: Leak[] = [];
  let looked = 0;
  for await (const { workflowId, runId, raw } of client.workflow.list()) {
    const report = (place: string) => (kind: LeakKind) =>
      leaks.push({ kind, where: 'history', place: `${workflowId} ${runId} ${place}` });
    (await kindsIn(raw, codecs, detect)).forEach(report('description'));
    const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
    for (const event of events ?? []) {
      looked += 1;
      (await kindsIn(event, codecs, detect)).forEach(report(`event ${String(event.eventId)}`));
    }
  }
  return { leaks, looked };
}

async function kindsIn(
  value: unknown,
  codecs: readonly PayloadCodec[],
  detect: Detector,
): Promise<Set<LeakKind>> {
  const texts: string[] = [];
  const payloads: Payload[] = [];
  collect(value, texts, payloads);
  let opened = payloads;
  for (const codec of codecs) opened = await codec.decode(opened);
  for (const payload of [...payloads, ...opened]) {
    texts.push(Buffer.from(payload.data ?? []).toString('latin1'));
  }
  return new Set(texts.flatMap(detect));
}

/** Gathers every text, every array of bytes as text, and every payload of a protobuf message. */
function collect(value: unknown, texts: string[], payloads: Payload[]): void {
  if (typeof value === 'string') texts.push(value);
  else if (value instanceof Uint8Array) texts.push(Buffer.from(value).toString('latin1'));
  else if (typeof value === 'object' && value !== null) {
    if (isPayload(value)) payloads.push(value);
    for (const [name, member] of Object.entries(value)) {
      texts.push(name);
      collect(member, texts, payloads);
    }
  }
}

const isPayload = (value: object): value is Payload =>
  'metadata' in value &&
  typeof value.metadata === 'object' &&
  value.metadata !== null &&
  'encoding' in value.metadata;
