// Satellite phones hidden in a country's own numbering plan: the library calls them mobile, VoIP or fixed, the carrier
// charges them like +881. AU, CA and AR are named in the comments of Google libphonenumber's metadata, which quotes the
// plans presented to ITU; CN, RU and ID are the operators' published ranges (Globalstar, Tiantong, GlobalTel, PSN).
// When in doubt a range is in: a refused call is explained and repaired, a paid one is not. The country's code is part
// of the pattern.
const satelliteRanges: readonly RegExp[] = [
  /^\+6114[57]/, // AU 0145, 0147
  /^\+1600/, // CA 600: satellite and other non-geographic tariffs
  /^\+54(?:9)?67[05]/, // AR 670 fixed and 675 mobile satellite service
  /^\+861349/, // CN Globalstar
  /^\+86174[0-5]/, // CN Tiantong
  /^\+7954/, // RU 954
  /^\+62868/, // ID 0868
];

/** Whether an E.164 number of a country leads to a satellite phone. */
export function isSatelliteRange(e164: string): boolean {
  return satelliteRanges.some((range) => range.test(e164));
}
