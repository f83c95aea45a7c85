/**
 * The lock of a database of PostgreSQL.
 *
 * @module
 */

/** The lock that commits and migrations take, in the database: the first digits of e. */
export const LOCK = "2718281828459045";
