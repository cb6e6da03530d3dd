import { readFileSync } from 'node:fs'
import type { Meter } from '../db/schema.ts'

/** The operator's prices. Money is in whole micro-dollars: 1 US dollar is 1,000,000. */
export interface PriceBook {
  meters: Record<Meter, Price>
  /** Packages of credit by name. */
  tiers: Record<string, Tier>
  /** Credit that each new account gets once. */
  newAccountMicros: number
  minimumTopUpCents: number
  /** Minimum of the environments' deposits, which is higher. */
  minimumDepositCents: number
  maximumTopUpCents: number
  /** How far below zero a balance may fall before the account counts as empty. */
  overdraftMicros: number
  /** An account with less than this is warned that its credit is about to end. */
  lowBalanceMicros: number
}

/** `micros` for each `per` units. */
export interface Price {
  micros: number
  per: number
}

export interface Tier {
  cents: number
  /** Credit in addition to the amount paid. */
  bonusPercent: number
}

const second = 1000
const thousandNeurons = 1_000_000
const gibHour = 1024 * 1024 * 3600

/** The unit of each meter, the unit shown to users, and how many base units make one of the latter. */
export const meterUnits: Record<Meter, { base: string; shown: string; perShown: number }> = {
  compute: { base: 'ms', shown: 's', perShown: second },
  browser: { base: 'ms', shown: 's', perShown: second },
  neurons: { base: 'thousandths of a neuron', shown: 'neurons', perShown: 1000 },
  storage_hot: { base: 'KiB-seconds', shown: 'GiB-h', perShown: gibHour },
  storage_cold: { base: 'KiB-seconds', shown: 'GiB-h', perShown: gibHour },
}

/**
 * PaperPod's prices from its document of 2026-01-26: $0.0001 for a second of compute or browser, $0.02 for 1,000
 * neurons, files included. No document has a price for storage, which is measured but free until the operator sets one.
 */
export const defaultPrices: PriceBook = {
  meters: {
    compute: { micros: 100, per: second },
    browser: { micros: 100, per: second },
    neurons: { micros: 20_000, per: thousandNeurons },
    storage_hot: { micros: 0, per: gibHour },
    storage_cold: { micros: 0, per: gibHour },
  },
  tiers: {
    micro: { cents: 100, bonusPercent: 0 },
    starter: { cents: 500, bonusPercent: 0 },
    pro: { cents: 2000, bonusPercent: 10 },
    scale: { cents: 10_000, bonusPercent: 20 },
  },
  newAccountMicros: 5_000_000,
  minimumTopUpCents: 100,
  minimumDepositCents: 500,
  maximumTopUpCents: 1_000_000,
  overdraftMicros: 0,
  lowBalanceMicros: 500_000,
}

/**
 * Returns how many whole hours of compute an amount buys, one running at a time; undefined if compute costs nothing.
 */
export function computeHours({ meters }: PriceBook, micros: number): number | undefined {
  const { compute } = meters
  return compute.micros === 0 ? undefined : Math.round(((micros / compute.micros) * compute.per) / hourMs)
}

const hourMs = 3_600_000

/**
 * Returns the default prices, overridden by a JSON file of the same shape. Throws one sentence with the file and the
 * field.
 */
export function readPriceBook(path: string | undefined): PriceBook {
  if (path === undefined) return defaultPrices
  const refuse = (why: string): never => {
    throw new Error(`Cannot use the price book "${path}": ${why}`)
  }
  let content: unknown
  try {
    content = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    return refuse(cause instanceof Error ? cause.message : String(cause))
  }
  const { meters = {}, tiers, ...amounts } = objectAt(content, 'it', refuse)
  const book: PriceBook = { ...defaultPrices, meters: { ...defaultPrices.meters } }
  for (const [name, price] of Object.entries(objectAt(meters, 'meters', refuse))) {
    if (!Object.hasOwn(defaultPrices.meters, name)) refuse(`there is no meter "${name}"`)
    const where = `meters.${name}`
    const { micros, per = defaultPrices.meters[name as Meter].per } = objectAt(price, where, refuse)
    book.meters[name as Meter] = {
      micros: wholeAt(micros, `${where}.micros`, 0, refuse),
      per: wholeAt(per, `${where}.per`, 1, refuse),
    }
  }
  if (tiers !== undefined) {
    book.tiers = {}
    for (const [name, tier] of Object.entries(objectAt(tiers, 'tiers', refuse))) {
      const { cents, bonusPercent = 0 } = objectAt(tier, `tiers.${name}`, refuse)
      book.tiers[name] = {
        cents: wholeAt(cents, `tiers.${name}.cents`, 1, refuse),
        bonusPercent: wholeAt(bonusPercent, `tiers.${name}.bonusPercent`, 0, refuse),
      }
    }
  }
  for (const [name, value] of Object.entries(amounts)) {
    if (!Object.hasOwn(defaultPrices, name)) refuse(`there is no field "${name}"`)
    book[name as Amount] = wholeAt(value, name, 0, refuse)
  }
  return book
}

type Amount = Exclude<keyof PriceBook, 'meters' | 'tiers'>
type Refuse = (why: string) => never

function objectAt(value: unknown, where: string, refuse: Refuse): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  return refuse(`${where} has to be an object`)
}

function wholeAt(value: unknown, where: string, min: number, refuse: Refuse): number {
  if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= maxNumber) return value as number
  return refuse(`${where} has to be a whole number from ${min} to ${maxNumber}`)
}

/** Low enough that a mistake still shows in a product of two such numbers. */
const maxNumber = 1_000_000_000_000
