import { z } from 'zod';
import type { Quickstart } from '../quickstart.ts';

const messagesSchema = z.object({ items: z.array(z.object({ subject: z.string().nullable() })) });

/** Reads the subjects of the mails that the inbox simulator has for an address, newest first. */
export const createInbox =
  ({ simulators }: Quickstart) =>
  async (email: string): Promise<string[]> => {
    const answer = await fetch(`${simulators.inboxUrl}/messages?to=${encodeURIComponent(email)}`);
    return messagesSchema.parse(await answer.json()).items.map(({ subject }) => subject ?? '');
  };
