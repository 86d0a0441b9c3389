const FORM =
  /^P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/;

/** `at` moved on by an ISO 8601 duration such as `P7D` or `PT36H`; null when the text is none. */
export function addDuration(at: Date, duration: string): Date | null {
  const match = FORM.exec(duration);
  if (match === null) return null;
  const [years, months, weeks, days, hours, minutes, seconds] = match
    .slice(1)
    .map((part) => Number(part ?? 0));
  const moved = new Date(at);
  moved.setUTCFullYear(moved.getUTCFullYear() + (years ?? 0), moved.getUTCMonth() + (months ?? 0));
  moved.setUTCDate(moved.getUTCDate() + (weeks ?? 0) * 7 + (days ?? 0));
  moved.setTime(moved.getTime() + (((hours ?? 0) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1_000);
  return Number.isNaN(moved.getTime()) ? null : moved;
}
