/** The part of a logger that drivers use. */
export interface DriverLog {
  info(fields: object, message: string): void
  error(fields: object, message: string): void
  warn(fields: object, message: string): void
}
