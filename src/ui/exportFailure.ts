/** Errors of an export that no store reports. */
export type ExportFailure = (title: string, error: unknown) => void
