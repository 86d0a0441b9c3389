import { randomUUID } from 'node:crypto';
import { atomically } from '../../db/atomically.ts';
import { refuseAcceptance, refuseUnlessInReview } from '../../db/verification-decisions.ts';
import { readVerification } from '../../db/verifications.ts';
import { Refusal } from '../../domain/errors.ts';
import { isUuid } from '../../domain/ids.ts';
import { REJECTION_REASONS, type RejectionReason, type ReviewDecision } from '../../domain/verification.ts';
import { type DecisionAnswer, decideVerification, isTemporalAway } from '../../temporal/workflows.ts';
import type { Command, CommandIo } from '../command.ts';
import { CommandFailed, exitCode, wrongUsage } from '../exit-code.ts';
import { commandCaller, withDatabase } from './connection.ts';
import { onlyValue, readOptions } from './options.ts';
import { withTemporal } from './temporal.ts';

const NAME = 'decide-verification';
const NOTE_CHARACTERS = 500;

/** `cardloom decide-verification`: a person accepts or rejects a case that waits in REVIEW (onboarding 6.2). */
export const decideVerificationCommand: Command = {
  name: NAME,
  usage: `VERIFICATION_ID --accept | --reject ${REJECTION_REASONS.join('|')} [--note TEXT] [--operator NAME]`,
  summary: 'accept or reject a verification that waits for a person',
  async run(args, io) {
    const { verificationId, ...decision } = readDecision(args);
    await refuseUnlessReady(io, verificationId, decision);
    const answer = await withTemporal(io, (client) =>
      decideVerification({ client }, verificationId, decision, `cli-${randomUUID()}`),
    ).catch((error: unknown) => {
      if (isTemporalAway(error))
        throw new CommandFailed(exitCode.busy, 'Temporal does not answer: try again');
      throw error;
    });
    return report(io, verificationId, answer);
  },
};

type NamedDecision = ReviewDecision & { readonly verificationId: string };

function readDecision(args: readonly string[]): NamedDecision {
  const accept = args.includes('--accept');
  const { given, values } = readOptions(
    NAME,
    args.filter((one) => one !== '--accept'),
    ['reject', 'note', 'operator'],
  );
  const [verificationId, ...more] = given;
  if (verificationId === undefined || more.length > 0) throw wrongUsage(`cardloom ${NAME}: name one case`);
  if (!isUuid(verificationId.toLowerCase())) throw wrongUsage(`cardloom ${NAME}: the id must be a UUID`);
  const reject = onlyValue(NAME, 'reject', values.reject);
  if (accept === (reject !== null)) throw wrongUsage(`cardloom ${NAME}: either --accept or --reject REASON`);
  const note = onlyValue(NAME, 'note', values.note);
  if (note !== null && note.length > NOTE_CHARACTERS) {
    throw wrongUsage(`cardloom ${NAME}: --note may have ${NOTE_CHARACTERS} characters`);
  }
  return {
    verificationId: verificationId.toLowerCase(),
    operatorId: `cli:${commandCaller(onlyValue(NAME, 'operator', values.operator)).actor.id}`,
    ...(reject === null ? { decision: 'ACCEPT' } : { decision: 'REJECT', reason: reasonOf(reject) }),
    ...(note === null ? {} : { note }),
  };
}

function reasonOf(text: string): RejectionReason {
  const reason = REJECTION_REASONS.find((one) => one === text.toUpperCase());
  if (reason === undefined) {
    throw wrongUsage(`cardloom ${NAME}: --reject must be one of ${REJECTION_REASONS.join(', ')}`);
  }
  return reason;
}

/** Tells what forbids the decision before it is sent; the workflow checks the stage once more. */
async function refuseUnlessReady(
  io: CommandIo,
  verificationId: string,
  { decision }: ReviewDecision,
): Promise<void> {
  try {
    await withDatabase(io, 'engine', (db) =>
      atomically(db, commandCaller(null), async (trx) => {
        const verification = await readVerification(trx, 'every', { verificationId });
        if (decision === 'ACCEPT') await refuseAcceptance(trx, verification);
        else refuseUnlessInReview(verification);
      }),
    );
  } catch (error) {
    if (error instanceof Refusal) throw new CommandFailed(exitCode.failed, `${error.code}: ${error.detail}`);
    throw error;
  }
}

function report(io: CommandIo, verificationId: string, answer: DecisionAnswer): number {
  switch (answer.outcome) {
    case 'DECIDED':
      io.out(
        io.json
          ? JSON.stringify({ verificationId, status: answer.status })
          : `verification ${verificationId} is ${answer.status}`,
      );
      return exitCode.ok;
    case 'REFUSED':
      throw new CommandFailed(
        exitCode.failed,
        `STATE_CONFLICT: the case refused the decision (${answer.reason})`,
      );
    case 'NOT_RUNNING':
      throw new CommandFailed(exitCode.failed, 'STATE_CONFLICT: this verification is decided already');
    case 'UNKNOWN':
      throw new CommandFailed(
        exitCode.busy,
        'no answer in time: the decision may still take effect. Look again with: cardloom verifications',
      );
  }
}
