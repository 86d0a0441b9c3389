import { FormData } from 'undici';
import { z } from 'zod';
import { expectEqual } from './difference.ts';
import { eventually } from './patience.ts';
import type { Person } from './person.ts';
import { drawPictures, type Picture } from './pictures.ts';
import type { Seen } from './step.ts';
import type { World } from './world.ts';

const verificationSchema = z.object({ verificationId: z.string(), status: z.string() });

// A worker that dies with an activity in hand is waited for by Temporal before another takes over.
const DECIDED_WITHIN_MS = 60_000;

/** Step 2: the form with three pictures; the provider approves, and the partner hears of begin and end. */
export async function verifyUser(world: World, userId: number): Promise<Seen<{ verificationId: string }>> {
  const { partner, partnerServer } = world;
  const { verificationId } = await partner.post(`/secure/customers/${userId}/register`, {
    form: await formOf(world.person),
    status: 201,
    answer: verificationSchema,
  });
  const decided = await eventually(
    'the verification',
    'a decision',
    () => partner.get(`/secure/customers/${userId}/verification`, { answer: verificationSchema }),
    ({ status }) => status !== 'IN_PROGRESS',
    DECIDED_WITHIN_MS,
  );
  expectEqual('the verification', 'ACCEPTED', decided.status);
  const noticed = await eventually(
    "the partner's inbox",
    'verificationInProgress, verificationAccepted',
    async () =>
      (await partnerServer.inbox()).filter(({ body }) => body?.['verificationId'] === verificationId),
    (notices) => notices.length >= 2,
  );
  const kinds = noticed.map((one) => one.kind);
  expectEqual("the partner's inbox", ['verificationInProgress', 'verificationAccepted'], kinds);
  return {
    happened: 'verified by the provider',
    figures: { pictures: 3, told: kinds.join(' and ') },
    link: world.linkTo(`customer-verification:${verificationId}`),
    facts: { verificationId },
  };
}

async function formOf(person: Person): Promise<FormData> {
  const form = new FormData();
  const fields = {
    firstName: person.firstName,
    lastName: person.lastName,
    birthDate: person.birthDate,
    nationality: 'PL',
    country: 'PL',
    street: 'Prosta',
    number: '1',
    city: 'Warszawa',
    postCode: '00-001',
    documentType: 'identity_card',
    identityCardNo: person.identityCardNo,
    documentExpirationDate: `${new Date().getUTCFullYear() + 5}-01-31`,
    riskLvl: 'LOW',
  };
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  const { face, front, back } = await drawPictures();
  form.set('imageFace', ...fileOf(face));
  form.set('imageFront', ...fileOf(front));
  form.set('imageBack', ...fileOf(back));
  return form;
}

const fileOf = ({ bytes, mediaType, name }: Picture): [Blob, string] => [
  new Blob([Uint8Array.from(bytes)], { type: mediaType }),
  name,
];
