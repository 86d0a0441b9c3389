import type { Context } from 'hono';
import type { z } from 'zod';

/** An error answer of the provider. */
export function refuse(c: Context, status: number, code: string, detail: string): Response {
  return c.json({ code, detail }, status as 400);
}

/** 400 with the places and expectations of all faults, never the values that came. */
export function invalid(c: Context, error: z.ZodError): Response {
  const detail = error.issues
    .map((issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`)
    .join('; ');
  return refuse(c, 400, 'VALIDATION_ERROR', detail);
}

/** The JSON body, undefined when it is none. */
export async function readJson(c: Context): Promise<unknown> {
  try {
    return await c.req.json();
  } catch {
    return undefined;
  }
}
