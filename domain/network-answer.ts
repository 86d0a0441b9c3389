import type { NetworkAnswer } from './decision.ts';
import { type Description, responseOf } from './response-code.ts';

/** Why a check ended the decision. */
export interface Refused {
  readonly description: Description;
  readonly reason: string | null;
  readonly values?: Readonly<Record<string, number | string>>;
  /** Reason whose codes are told in place of those of `reason`. */
  readonly codesOf?: string;
}

/** A refusal as a value. */
export const refuse = (
  description: Description,
  reason: string | null = null,
  values: Readonly<Record<string, number | string>> = {},
): Refused => ({ description, reason, values });

/** An answer with the codes of `description`, and nothing else in it yet. */
export function answerOf(
  result: NetworkAnswer['result'],
  description: Description,
  reason: string | null,
): NetworkAnswer {
  const { actionCode, responseCode } = responseOf(description, reason);
  return {
    id: null,
    result,
    description,
    reason,
    actionCode,
    responseCode,
    authorizationCode: null,
    approvedAmount: null,
    currency: '',
    availableAmount: null,
    iccResponse: null,
  };
}

/** The answer that declines. */
export function refusalAnswer(refused: Refused, id: string | null, currency: string): NetworkAnswer {
  const codes = responseOf(refused.description, refused.codesOf ?? refused.reason);
  return {
    ...answerOf('DECLINED', refused.description, refused.reason),
    actionCode: codes.actionCode,
    responseCode: codes.responseCode,
    id,
    currency,
  };
}

/** The answer to an advice or a reversal: never refused to the network, whatever we found (processor 3.4). */
export function acknowledged(
  id: string | null,
  description: Description,
  approvedAmount: number | null,
  currency: string,
): NetworkAnswer {
  const { actionCode, responseCode } = responseOf('APPROVED', null);
  return {
    ...answerOf('ACKNOWLEDGED', description, null),
    id,
    actionCode,
    responseCode,
    approvedAmount,
    currency,
  };
}
