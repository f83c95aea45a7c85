/**
 * Days and times in words.
 *
 * @module
 */

const DAY_MS = 24 * 60 * 60 * 1000;

// The page is in English; the clock is the reader's own, with 12 or 24 hours.
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const thisYear = new Intl.DateTimeFormat("en-GB", {
  weekday: "long",
  day: "numeric",
  month: "long",
});
const anyYear = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "long",
  year: "numeric",
});
const full = new Intl.DateTimeFormat("en-GB", { dateStyle: "full", timeStyle: "medium" });

/**
 * Makes a sortable key of the day of a moment, in the reader's time zone.
 *
 * @param date The moment.
 * @returns Such as `2026-11-23`.
 */
export function dayKey(date: Date): string {
  const [month, day] = [date.getMonth() + 1, date.getDate()];
  return `${date.getFullYear()}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

/**
 * Formats the day of a moment.
 *
 * @param date A moment of that day.
 * @param now The present.
 * @returns Such as `Today`, `Yesterday`, `Monday, 23 November` or `23 November 2025`.
 */
export function dayName(date: Date, now: Date): string {
  const key = dayKey(date);
  if (key === dayKey(now)) return "Today";
  // Noon: an hour more or less, as when summer time begins, does not change the day.
  const noon = new Date(now).setHours(12, 0, 0, 0);
  if (key === dayKey(new Date(noon - DAY_MS))) return "Yesterday";
  const format = date.getFullYear() === now.getFullYear() ? thisYear : anyYear;
  return format.format(date).replace(/^(\w+) (\d)/, "$1, $2");
}

/**
 * Formats the time of day.
 *
 * @param date The moment.
 * @returns Such as `14:05`.
 */
export function clockTime(date: Date): string {
  return clock.format(date);
}

/**
 * Formats a moment in full.
 *
 * @param date The moment.
 * @returns Day, date and time to the second.
 */
export function fullTime(date: Date): string {
  return full.format(date);
}
