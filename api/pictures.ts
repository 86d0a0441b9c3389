import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { fileTypeFromBuffer } from 'file-type';
import { Refusal } from '../domain/errors.ts';
import type { PictureKind } from '../domain/verification.ts';
import type { PictureAnswer, PictureRequest } from './picture-process.ts';
import type { UploadedFile } from './route.ts';

const LEAST_BYTES = 10_000;
const MOST_BYTES = 10_000_000;
const TYPES = ['image/jpeg', 'image/png', 'application/pdf'] as const;
type MediaType = (typeof TYPES)[number];

/** A picture that was decoded and encoded again, or a PDF without anything active in it. */
export interface CheckedPicture {
  readonly kind: PictureKind;
  readonly mediaType: string;
  readonly content: Uint8Array;
}

/** Looks into files in a process of its own. */
export interface PictureChecker {
  /**
   * Checks one file of a form (onboarding 5) and gives what is to be kept of it, or `DOCUMENT_UNREADABLE` as a
   * value: that refusal has its place after the state of the user. Throws `UNSUPPORTED_MEDIA_TYPE`,
   * `PAYLOAD_TOO_LARGE`, `OVERLOADED`.
   */
  check(kind: PictureKind, file: UploadedFile): Promise<CheckedPicture | Refusal>;
  /** Ends the process. */
  stop(): void;
}

/** A checker whose process starts with the first file and never keeps this one from ending. */
export function createPictureChecker(): PictureChecker {
  const decoder = createDecoder();
  return {
    check: async (kind, file) => {
      const mediaType = await acceptedType(kind, file);
      if (file.bytes.length > MOST_BYTES) {
        throw new Refusal('PAYLOAD_TOO_LARGE', 'A file may have 10 MB at most.');
      }
      if (file.bytes.length < LEAST_BYTES) return unreadable();
      const answer = await decoder.decode({ bytes: file.bytes, mediaType });
      switch (answer.kind) {
        case 'ok':
          return { kind, mediaType, content: answer.bytes };
        case 'unreadable':
          return unreadable();
        case 'active':
          throw unsupported(
            'A PDF must not contain scripts, actions, attachments, encryption, or another file.',
          );
      }
    },
    stop: decoder.stop,
  };
}

/** The type of a file when its content and what it was declared to be agree. Throws `UNSUPPORTED_MEDIA_TYPE`. */
async function acceptedType(kind: PictureKind, file: UploadedFile): Promise<MediaType> {
  const declared = file.mediaType.split(';')[0]?.trim().toLowerCase();
  const found = (await fileTypeFromBuffer(file.bytes))?.mime;
  const type = TYPES.find((one) => one === declared && one === found);
  if (type === undefined || (kind === 'FACE' && type === 'application/pdf')) {
    throw unsupported(
      'Send pictures as JPEG or PNG, documents also as PDF, and declare them as what they are.',
    );
  }
  return type;
}

const unsupported = (detail: string): Refusal => new Refusal('UNSUPPORTED_MEDIA_TYPE', detail);

const unreadable = (): Refusal =>
  new Refusal(
    'DOCUMENT_UNREADABLE',
    'A picture must have 10 kB at least, 300 pixels on its short side, and 40 megapixels at most.',
  );

interface Decoder {
  decode(request: PictureRequest): Promise<PictureAnswer>;
  stop(): void;
}

const DECODE_TIMEOUT_MS = 15_000;
const MOST_WAITING = 30;
const HEAP_MEGABYTES = 128;

function createDecoder(): Decoder {
  let child: ChildProcess | null = null;
  let last: Promise<unknown> = Promise.resolve();
  let waiting = 0;

  const running = (): ChildProcess => {
    if (child !== null) return child;
    const started = fork(fileURLToPath(new URL('./picture-process.ts', import.meta.url)), {
      serialization: 'advanced',
      execArgv: [`--max-old-space-size=${HEAP_MEGABYTES}`, '--disable-warning=ExperimentalWarning'],
      // Nothing of our environment: it holds secrets, and what is decoded comes from strangers.
      env: {},
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    started.once('exit', () => {
      if (child === started) child = null;
    });
    child = started;
    return started;
  };

  const decodeNow = (request: PictureRequest): Promise<PictureAnswer> =>
    new Promise((resolve) => {
      const one = running();
      hold(one, true);
      const finish = (answer: PictureAnswer) => {
        clearTimeout(timer);
        one.off('message', onMessage).off('exit', onEnd).off('error', onEnd);
        hold(one, false);
        resolve(answer);
      };
      const onMessage = (answer: unknown) => finish(answer as PictureAnswer);
      // A file that takes the process down is not a picture that anybody could read.
      const onEnd = () => finish({ kind: 'unreadable' });
      const timer = setTimeout(() => one.kill('SIGKILL'), DECODE_TIMEOUT_MS);
      one.on('message', onMessage).on('exit', onEnd).on('error', onEnd);
      one.send(request, (error) => {
        if (error !== null) onEnd();
      });
    });

  return {
    decode: async (request) => {
      if (waiting >= MOST_WAITING) {
        throw new Refusal('OVERLOADED', 'Too many pictures wait to be read. Send the form again.');
      }
      waiting += 1;
      const mine = last.then(() => decodeNow(request));
      last = mine.catch(() => undefined);
      try {
        return await mine;
      } finally {
        waiting -= 1;
      }
    },
    stop: () => void child?.kill('SIGKILL'),
  };
}

/** While it works, the process counts as work to be finished; idle, it does not keep the parent alive. */
function hold(child: ChildProcess, busy: boolean): void {
  if (busy) {
    child.ref();
    child.channel?.ref();
  } else {
    child.unref();
    child.channel?.unref();
  }
}
