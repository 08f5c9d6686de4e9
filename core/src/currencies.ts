// The currencies of ISO 4217 that prices can be in, with the digits of their minor unit: amounts are whole numbers of it.
// Codes without a minor unit of their own (gold, drawing rights, tests) are no currency that anybody pays with.

/** Codes by the digits of the minor unit: 1 EUR is 10² cents, a yen is not divided. */
const BY_DIGITS: readonly (readonly [digits: number, codes: string])[] = [
  [0, 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF'],
  [
    2,
    'AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW ' +
      'CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF ' +
      'IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK ' +
      'MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP ' +
      'SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ' +
      'ZAR ZMW ZWG',
  ],
  [3, 'BHD IQD JOD KWD LYD OMR TND'],
  [4, 'CLF UYW'],
];

/** Digits of the minor unit by currency code. */
export const CURRENCIES: ReadonlyMap<string, number> = new Map(
  BY_DIGITS.flatMap(([digits, codes]) => codes.split(' ').map((code) => [code, digits] as const)),
);

/** What a whole number of a known currency counts: "cents (EUR has 2 decimals)". */
export function minorUnitOf(currency: string): string {
  const digits = CURRENCIES.get(currency);
  if (digits === undefined) return 'the minor unit';
  if (digits === 0) return `${currency} (it has no decimals)`;
  return `${digits === 2 ? 'hundredths' : digits === 3 ? 'thousandths' : `1/${10 ** digits}`} of ${currency} (it has ${digits} decimals)`;
}
