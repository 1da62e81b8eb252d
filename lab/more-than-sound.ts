/** What phones offer and take, as lines of SDP. At port 9 nobody listens. */
export const SOUND = ['m=audio 9 RTP/AVP 0', 'a=rtpmap:0 PCMU/8000'];
export const FAX = [
  'm=image 9 udptl t38',
  'a=T38FaxVersion:0',
  'a=T38MaxBitRate:14400',
  'a=T38FaxRateManagement:transferredTCF',
  'a=T38FaxUdpEC:t38UDPRedundancy',
];

export function pictureAt(port: number): string[] {
  return [`m=video ${port} RTP/AVP 97`, 'a=rtpmap:97 H264/90000', 'a=fmtp:97 profile-level-id=42e01f'];
}
