/** Where somebody stands after a request, told with the answer (channels 14). */
export interface RateStanding {
  readonly limit: number;
  readonly remaining: number;
  readonly resetSeconds: number;
}

/** `RateLimit-*` of an answer; none where nothing was counted. */
export const rateHeaders = (standing: RateStanding | null): Readonly<Record<string, string>> =>
  standing === null
    ? {}
    : {
        'RateLimit-Limit': String(standing.limit),
        'RateLimit-Remaining': String(standing.remaining),
        'RateLimit-Reset': String(standing.resetSeconds),
      };
