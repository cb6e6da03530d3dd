import type { FastifyError, FastifyRequest, FastifySchema } from 'fastify'
import { limits } from '../config/limits.ts'
import { asCarrelError, CarrelError } from '../errors.ts'
import { invalidValue, type SchemaError } from './invalid-value.ts'

/** The part of a request that a refusal describes: the value that a schema refused, the limit of the route. */
type Refused = Pick<FastifyRequest, 'body' | 'query' | 'params'> & Partial<Pick<FastifyRequest, 'routeOptions'>>

const byFastifyCode: Record<string, (error: FastifyError, request?: Refused) => CarrelError> = {
  FST_ERR_CTP_BODY_TOO_LARGE: (error, request) => {
    const maxBytes = request?.routeOptions?.bodyLimit ?? limits.jsonBodyBytes
    return new CarrelError('too_large', `Cannot read the request: its body is larger than ${maxBytes} bytes`, {
      details: { maxBytes },
      cause: error,
    })
  },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: (error) =>
    new CarrelError(
      'unsupported_media_type',
      'Cannot read the request: its content type is not one that the route accepts; unless documented otherwise, a route accepts JSON as application/json',
      { cause: error },
    ),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: (error) =>
    new CarrelError('invalid_request', 'Cannot read the request: its body is not as long as its Content-Length', {
      cause: error,
    }),
  FST_ERR_CTP_EMPTY_JSON_BODY: (error) =>
    new CarrelError('invalid_request', 'Cannot read the request: its JSON body is empty', {
      details: { field: 'body' },
      cause: error,
    }),
  FST_ERR_BAD_URL: (error) =>
    new CarrelError('invalid_request', 'Cannot read the request: its address is not validly encoded', {
      details: { field: 'url' },
      cause: error,
    }),
  FST_FILES_LIMIT: (error) =>
    new CarrelError('invalid_request', 'Cannot accept the upload: it has more than one file', {
      details: { field: 'file' },
      cause: error,
    }),
  FST_FIELDS_LIMIT: (error) =>
    new CarrelError('invalid_request', 'Cannot accept the upload: it has too many fields', { cause: error }),
  FST_REQ_FILE_TOO_LARGE: (error) =>
    new CarrelError('too_large', `Cannot accept the upload: the file is larger than ${limits.uploadBytes} bytes`, {
      details: { maxBytes: limits.uploadBytes },
      cause: error,
    }),
  FST_INVALID_MULTIPART_CONTENT_TYPE: (error) =>
    new CarrelError('unsupported_media_type', 'Cannot accept the upload: it is not multipart/form-data', {
      cause: error,
    }),
}

/** Returns any error that was thrown while a request was handled as a row of the error table. */
export function requestError(error: FastifyError, request?: Refused): CarrelError {
  if (error.validation) return invalid(error, request)
  const known = byFastifyCode[error.code]
  if (known) return known(error, request)
  if (brokenForm.test(error.message))
    return new CarrelError('invalid_request', 'Cannot accept the upload: its form is cut off or not well-formed', {
      details: { field: 'body' },
      cause: error,
    })
  if (error.statusCode && error.statusCode >= 400 && error.statusCode < 500)
    return new CarrelError('invalid_request', `Cannot read the request: ${error.message}`, { cause: error })
  return asCarrelError(error)
}

/** Messages of the multipart parser, whose errors have no code. */
const brokenForm = /^Multipart: Boundary not found$|unexpected end of multipart data$/i

function invalid(error: FastifyError, request?: Partial<FastifyRequest>): CarrelError {
  const { validation, validationContext } = error
  const whole = validationContext === 'querystring' ? 'query' : (validationContext ?? 'body')
  const value = whole === 'query' ? request?.query : whole === 'params' ? request?.params : request?.body
  const schema = request?.routeOptions?.schema?.[validationContext as keyof FastifySchema]
  const { code, message, details } = invalidValue(validation as SchemaError[], value, whole, schema)
  return new CarrelError(code, message, { details, cause: error })
}
