import type { GarbageForm } from './body.ts';

const HUGE_BYTES = 3 * 1024 * 1024;

/** What arrives instead of `text`. `pauseMs` lies between its pieces; without it they come at once. */
export interface Garbage {
  readonly pieces: readonly Buffer[];
  readonly pauseMs: number;
  readonly contentType: string;
}

/** Unreadable bytes in one of the forms of spec 6.3; `slow` is the whole text, dripped. */
export function garbageOf(form: GarbageForm, text: string): Garbage {
  const whole = Buffer.from(text);
  const json = 'application/json';
  switch (form) {
    case 'truncated':
      return { pieces: [whole.subarray(0, Math.floor(whole.length / 2))], pauseMs: 0, contentType: json };
    case 'html':
      return {
        pieces: [Buffer.from('<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>')],
        pauseMs: 0,
        contentType: 'text/html',
      };
    case 'binary':
      return {
        pieces: [Buffer.from(Array.from({ length: 256 }, (_, index) => 255 - index))],
        pauseMs: 0,
        contentType: json,
      };
    case 'huge':
      return {
        pieces: [Buffer.concat([whole, Buffer.alloc(HUGE_BYTES, ' ')])],
        pauseMs: 0,
        contentType: json,
      };
    case 'slow': {
      const bytes = Math.ceil(whole.length / SLOW_PIECES);
      const pieces = Array.from({ length: SLOW_PIECES }, (_, at) =>
        whole.subarray(at * bytes, (at + 1) * bytes),
      );
      return {
        pieces: pieces.filter((piece) => piece.length > 0),
        pauseMs: SLOW_PAUSE_MS,
        contentType: json,
      };
    }
  }
}

// 20 pieces, 500 ms apart: longer than any deadline of the contract but that of files.
const SLOW_PIECES = 20;
const SLOW_PAUSE_MS = 500;
