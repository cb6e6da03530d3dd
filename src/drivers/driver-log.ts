/** What the driver uses of a logger. */
export interface DriverLog {
  info(fields: object, message: string): void
  error(fields: object, message: string): void
  warn(fields: object, message: string): void
}
