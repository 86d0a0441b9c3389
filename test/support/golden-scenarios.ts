/**
 * Scenarios of authorization 17 as text, with those of its features that exist. A first line
 * `<name> <A|B> [U <posted>] [deposit <posted>] [partial] [daily <limit>]`, then rows
 * `event | amount | available | held | posted | deposit | company | words`. An event is about the newest purchase,
 * `of N` about the N-th; each `auth` is a purchase of its own.
 */
export const GOLDEN_SCENARIOS: readonly string[] = [
  `G1 A
   auth     | 3500 | 96500 | 3500 | 100000 | - | 0 | APPROVED, AUTHORIZED
   clearing | 3500 | 96500 | 0    | 96500  | - | 0 | CLEARED`,
  `G2 A
   auth          | 3500 | 96500  | 3500 | 100000 | - | 0 | APPROVED
   reversal      | 3500 | 100000 | 0    | 100000 | - | 0 | REVERSED, ACKNOWLEDGED
   same reversal | 3500 | 100000 | 0    | 100000 | - | 0 | REVERSED, ACKNOWLEDGED`,
  `G3 A
   auth     | 10000 | 90000 | 10000 | 100000 | - | 0 | APPROVED
   reversal | 4000  | 94000 | 6000  | 100000 | - | 0 | AUTHORIZED
   clearing | 6000  | 94000 | 0     | 94000  | - | 0 | CLEARED`,
  `G4 A
   auth      | 2000 | 98000 | 2000 | 100000 | - | 0 | APPROVED
   increment to | 3000 | 97000 | 3000 | 100000 | - | 0 | APPROVED, AUTHORIZED
   increment to | 3500 | 96500 | 3500 | 100000 | - | 0 | APPROVED
   clearing  | 3500 | 96500 | 0    | 96500  | - | 0 | CLEARED`,
  `G5 A
   auth     | 10000 | 90000 | 10000 | 100000 | - | 0 | APPROVED
   clearing | 8000  | 92000 | 0     | 92000  | - | 0 | CLEARED`,
  `G6 A
   auth     | 5000 | 95000 | 5000 | 100000 | - | 0 | APPROVED
   clearing | 6000 | 94000 | 0    | 94000  | - | 0 | CLEARED`,
  `G7 A U 5000
   auth     | 5000 | 0     | 5000 | 5000  | - | 0 | APPROVED
   clearing | 6000 | -1000 | 0    | -1000 | - | 0 | CLEARED, NEGATIVE_BALANCE
   auth     | 100  | -1000 | 0    | -1000 | - | 0 | INSUFFICIENT_FUNDS
   topUp    | 1500 | 500   | 0    | 500   | - | 0 | APPROVED
   auth     | 100  | 400   | 100  | 500   | - | 0 | APPROVED`,
  `G8 A
   auth          | 9000 | 91000 | 9000 | 100000 | - | 0 | APPROVED
   part clearing | 3000 | 91000 | 6000 | 97000  | - | 0 | PARTLY_CLEARED
   part clearing | 4000 | 91000 | 2000 | 93000  | - | 0 | PARTLY_CLEARED
   clearing      | 1500 | 91500 | 0    | 91500  | - | 0 | CLEARED`,
  `G9 A
   auth     | 3500 | 96500  | 3500 | 100000 | - | 0 | APPROVED
   expiry   | 3500 | 100000 | 0    | 100000 | - | 0 | EXPIRED
   clearing | 3500 | 96500  | 0    | 96500  | - | 0 | CLEARED, late, LATE_CLEARING`,
  `G10 A
   unknown clearing | 2500 | 97500 | 0 | 97500 | - | 0 | CLEARED, FORCE_POST`,
  `G11 A
   auth     | 5000 | 95000 | 5000 | 100000 | - | 0 | APPROVED
   clearing | 5000 | 95000 | 0    | 95000  | - | 0 | CLEARED
   refund   | 2000 | 97000 | 0    | 97000  | - | 0 | CLEARED, refundedAmount 2000`,
  `G12 A
   auth     | 5000 | 95000  | 5000 | 100000 | - | 0 | APPROVED
   refund   | 5000 | 100000 | 5000 | 105000 | - | 0 | POSTED, REFUND_BEFORE_CLEARING
   clearing | 5000 | 100000 | 0    | 100000 | - | 0 | CLEARED`,
  `G13 A
   unlinked refund | 1500 | 101500 | 0 | 101500 | - | 0 | POSTED, UNLINKED_REFUND`,
  `G14 A U 3000
   advice   | 4000 | -1000 | 4000 | 3000  | - | 0 | ACKNOWLEDGED, STAND_IN_OVER_FUNDS, standIn
   clearing | 4000 | -1000 | 0    | -1000 | - | 0 | CLEARED`,
  `G15 B deposit 2000
   auth     | 3000 | 100000 | 0    | 100000 | 2000 | 0 | INSUFFICIENT_FUNDS_ON_DEPOSIT_BALANCE
   auth     | 1500 | 98500  | 1500 | 100000 | 500  | 0 | APPROVED
   clearing | 1500 | 98500  | 0    | 98500  | 500  | 0 | CLEARED`,
  `G16 B U 1000
   auth | 3000 | 1000 | 0 | 1000 | 500000 | 0 | INSUFFICIENT_FUNDS`,
  `G26 A
   early reversal  | 4000 | 100000 | 0 | 100000 | - | 0 | REFERENCED_TRANSACTION_NOT_FOUND, INVALID
   its auth        | 4000 | 100000 | 0 | 100000 | - | 0 | DECLINED, REVERSED_BEFORE_ARRIVAL`,
  `G28 A U 3000 partial
   auth partial | 5000 | 0 | 3000 | 3000 | - | 0 | PARTIALLY_APPROVED, approved 3000
   clearing     | 3000 | 0 | 0    | 0    | - | 0 | CLEARED`,
  `G30 A
   unknown clearing | 2500 | 97500 | 0 | 97500 | - | 0 | CLEARED, FORCE_POST
   its auth         | 2500 | 97500 | 0 | 97500 | - | 0 | APPROVED, CLEARED`,
  `G31 A
   auth     | 5000 | 95000  | 5000 | 100000 | - | 0 | APPROVED
   reversal | 6000 | 100000 | 0    | 100000 | - | 0 | REVERSED, OVER_REVERSAL`,
  `G32 A
   auth     | 5000 | 95000  | 5000 | 100000 | - | 0 | APPROVED
   reversal | 5000 | 100000 | 0    | 100000 | - | 0 | REVERSED
   clearing | 5000 | 95000  | 0    | 95000  | - | 0 | CLEARED, CLEARING_AFTER_REVERSAL`,
  `G33 A
   auth               | 5000 | 95000  | 5000 | 100000 | - | 0 | APPROVED
   clearing           | 5000 | 95000  | 0    | 95000  | - | 0 | CLEARED
   chargeback         | 5000 | 100000 | 0    | 100000 | - | 0 | POSTED, refundedAmount 5000
   second presentment | 5000 | 95000  | 0    | 95000  | - | 0 | POSTED, SECOND_PRESENTMENT, refundedAmount 0`,
  `G34 B deposit 1000
   unknown clearing | 1200 | 98800 | 0   | 98800 | -200 | 0 | CLEARED, FORCE_POST
   auth             | 100  | 98800 | 0   | 98800 | -200 | 0 | INSUFFICIENT_FUNDS_ON_DEPOSIT_BALANCE
   collateralCredit | 5000 | 98800 | 0   | 98800 | 4800 | 0 | APPROVED
   auth             | 100  | 98700 | 100 | 98800 | 4700 | 0 | APPROVED`,
  `G35 A daily 5000
   auth          | 4000 | 96000  | 4000 | 100000 | - | 0 | APPROVED, consumed 4000
   auth          | 2000 | 96000  | 4000 | 100000 | - | 0 | EXCEEDS_AMOUNT_LIMIT, consumed 4000
   reversal of 1 | 4000 | 100000 | 0    | 100000 | - | 0 | REVERSED, consumed 0
   auth          | 2000 | 98000  | 2000 | 100000 | - | 0 | APPROVED, consumed 2000`,
  `G36 A
   cashback | 5000 | 95000 | 5000 | 100000 | - | 0 | APPROVED
   clearing | 5000 | 95000 | 0    | 95000  | - | 0 | CLEARED`,
  `G37 A
   inquiry | 0 | 100000 | 0 | 100000 | - | 0 | APPROVED, available 100000`,
  // What the chapter tells in words beside its numbered scenarios.
  `refund announced A
   announce refund | 2000 | 100000 | 0 | 100000 | - | 0 | APPROVED, AUTHORIZED
   refund          | 2000 | 102000 | 0 | 102000 | - | 0 | POSTED, CLEARED`,
  `refund announced and withdrawn B
   announce refund | 2000 | 100000 | 0 | 100000 | 500000 | 0 | APPROVED, AUTHORIZED
   reversal        | 2000 | 100000 | 0 | 100000 | 500000 | 0 | ACKNOWLEDGED, REVERSED`,
  `refund announced and forgotten A
   announce refund | 2000 | 100000 | 0 | 100000 | - | 0 | APPROVED
   expiry          | 2000 | 100000 | 0 | 100000 | - | 0 | EXPIRED`,
  `incoming payment B
   money send | 2000 | 102000 | 0 | 102000 | 502000 | 0 | APPROVED, AUTHORIZED
   credit     | 2000 | 102000 | 0 | 102000 | 502000 | 0 | POSTED, CLEARED`,
  `incoming payment taken back B
   money send | 2000 | 102000 | 0 | 102000 | 502000 | 0 | APPROVED
   reversal   | 2000 | 100000 | 0 | 100000 | 500000 | 0 | ACKNOWLEDGED, REVERSED`,
  `incoming payment never cleared A
   money send | 2000 | 102000 | 0 | 102000 | - | 0 | APPROVED
   expiry     | 2000 | 102000 | 0 | 102000 | - | 0 | AUTHORIZED, CREDIT_NOT_CLEARED`,
  `incoming payment reversed in part B
   money send | 2000 | 102000 | 0 | 102000 | 502000 | 0 | APPROVED
   reversal   | 500  | 101500 | 0 | 101500 | 501500 | 0 | ACKNOWLEDGED, AUTHORIZED
   credit     | 1500 | 101500 | 0 | 101500 | 501500 | 0 | POSTED, CLEARED`,
  `incoming payment told twice A
   money send        | 2000 | 102000 | 0 | 102000 | - | 0 | APPROVED
   its credit advice | 2000 | 102000 | 0 | 102000 | - | 0 | ACKNOWLEDGED, AUTHORIZED
   its declined credit | 2000 | 100000 | 0 | 100000 | - | 0 | ACKNOWLEDGED, REVERSED`,
  `stand-in came before its question A
   early advice | 3000 | 97000 | 3000 | 100000 | - | 0 | ACKNOWLEDGED, standIn
   its auth     | 3000 | 97000 | 3000 | 100000 | - | 0 | APPROVED, authorizedLate`,
  `stand-in approved what was reversed A
   auth       | 3000 | 97000  | 3000 | 100000 | - | 0 | APPROVED
   reversal   | 3000 | 100000 | 0    | 100000 | - | 0 | REVERSED
   its advice | 3000 | 97000  | 3000 | 100000 | - | 0 | ACKNOWLEDGED, standIn`,
  `clearing of the new total without a reference A
   auth          | 2000 | 98000 | 2000 | 100000 | - | 0 | APPROVED
   increment     | 3000 | 95000 | 5000 | 100000 | - | 0 | APPROVED
   merchant clearing | 5000 | 95000 | 0 | 95000 | - | 0 | CLEARED`,
  `refund of far more than was paid A
   auth   | 1000 | 99000  | 1000 | 100000 | - | 0 | APPROVED
   refund | 9000 | 108000 | 1000 | 109000 | - | 0 | POSTED, REFUND_EXCEEDS, REFUND_BEFORE_CLEARING`,
  `completion up and down B
   auth       | 5000 | 95000 | 5000 | 100000 | 495000 | 0 | APPROVED
   completion | 6000 | 94000 | 6000 | 100000 | 494000 | 0 | ACKNOWLEDGED, AUTHORIZED
   completion | 4500 | 95500 | 4500 | 100000 | 495500 | 0 | ACKNOWLEDGED, AUTHORIZED
   clearing   | 4500 | 95500 | 0    | 95500  | 495500 | 0 | CLEARED`,
  `stand-in declined what we approved B
   auth            | 5000 | 95000  | 5000 | 100000 | 495000 | 0 | APPROVED
   declined advice | 5000 | 100000 | 0    | 100000 | 500000 | 0 | ACKNOWLEDGED, REVERSED`,
  `stand-in approved what we declined A U 1000
   auth   | 3000 | 1000  | 0    | 1000 | - | 0 | INSUFFICIENT_FUNDS
   its advice | 3000 | -2000 | 3000 | 1000 | - | 0 | ACKNOWLEDGED, STAND_IN_CONFLICT, STAND_IN_OVER_FUNDS`,
  `stand-in told what we know A
   auth   | 3000 | 97000 | 3000 | 100000 | - | 0 | APPROVED
   its advice | 3000 | 97000 | 3000 | 100000 | - | 0 | ACKNOWLEDGED, AUTHORIZED`,
  `refused increment keeps the hold A U 5000
   auth      | 4000 | 1000 | 4000 | 5000 | - | 0 | APPROVED
   increment | 2000 | 1000 | 4000 | 5000 | - | 0 | INSUFFICIENT_FUNDS, AUTHORIZED
   increment to | 3000 | 1000 | 4000 | 5000 | - | 0 | INVALID_AMOUNT
   clearing  | 4000 | 1000 | 0    | 1000 | - | 0 | CLEARED`,
  `increment of nothing A
   lone increment | 2000 | 100000 | 0 | 100000 | - | 0 | REFERENCED_TRANSACTION_NOT_FOUND, INVALID`,
  `under-clearing gives limits back A daily 5000
   auth     | 5000 | 95000 | 5000 | 100000 | - | 0 | APPROVED, consumed 5000
   clearing | 3000 | 97000 | 0    | 97000  | - | 0 | CLEARED, consumed 3000
   refund   | 3000 | 100000 | 0   | 100000 | - | 0 | POSTED, consumed 3000`,
  `over-clearing and force posts count without a check A daily 5000
   auth             | 5000 | 95000 | 5000 | 100000 | - | 0 | APPROVED, consumed 5000
   clearing         | 6000 | 94000 | 0    | 94000  | - | 0 | CLEARED, consumed 6000
   unknown clearing | 1000 | 93000 | 0    | 93000  | - | 0 | CLEARED, consumed 7000
   auth             | 1    | 93000 | 0    | 93000  | - | 0 | EXCEEDS_AMOUNT_LIMIT`,
];
