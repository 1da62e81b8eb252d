import { describe, expect, it } from 'vitest';
import { readNumber } from './phone-number.js';

// region | what a switch, a carrier or a person sent -> what it means: E.164 and "ext" for what stood behind it, or the
// kind and the extension. Written from the numbering plans and from how equipment sends numbers; one region a block.
// JSON strings are for what could not be seen otherwise.
const forms = `
# Russia: trunk prefix 8, ten digits, calling code shared with Kazakhstan
RU | +74951234567 -> +74951234567
RU | +7 (495) 123-45-67 -> +74951234567
RU | +7 495 123 45 67 -> +74951234567
RU | +7-495-123-45-67 -> +74951234567
RU | +7.495.123.45.67 -> +74951234567
RU | 8 (495) 123-45-67 -> +74951234567
RU | 8-495-123-45-67 -> +74951234567
RU | 84951234567 -> +74951234567
RU | 74951234567 -> +74951234567
RU | 4951234567 -> +74951234567
RU | (495) 123-45-67 -> +74951234567
RU | 8 (916) 123-45-67 -> +79161234567
RU | 89161234567 -> +79161234567
RU | 79161234567 -> +79161234567
RU | 9161234567 -> +79161234567
RU | 8 800 555 35 35 -> +78005553535
RU | 8 (812) 324-56-78 -> +78123245678
RU | 007 495 123-45-67 -> +74951234567
RU | 8 10 49 30 123456 -> +4930123456
RU | 810442079460958 -> +442079460958
RU | 8~10 1 415 555 0123 -> +14155550123
RU | 00 44 20 7946 0958 -> +442079460958
RU | 442079460958 -> +442079460958
RU | 87011234567 -> +77011234567
RU | +7 (495) 123-45-67 доб. 123 -> +74951234567 ext 123
RU | 8 (495) 123-45-67, доб 12 -> +74951234567 ext 12
RU | 8 495 123-45-67 (доб. 12) -> +74951234567 ext 12
RU | 84951234567 вн. 305 -> +74951234567 ext 305
RU | +74951234567,,305 -> +74951234567 ext 305
RU | +74951234567;ext=305 -> +74951234567 ext 305
RU | +74951234567#305 -> +74951234567 ext 305
RU | 8 495 123-45-67-12 -> +74951234567 ext 12
RU | 84951234567# -> +74951234567
RU | 123-45-67 -> unknown
RU | 8 495 123-45-6 -> unknown
RU | 8 495 123-45-678 -> unknown
RU | 101 -> extension 101
RU | 103 -> extension 103
RU | 2001 -> extension 2001
RU | 12-34 -> extension 1234
RU | 112 -> service
RU | sip:84951234567@sip.operator.example -> +74951234567
RU | <sip:+79161234567@10.0.0.1;user=phone> -> +79161234567
# Kazakhstan: the same trunk prefix and calling code
KZ | +7 701 123 45 67 -> +77011234567
KZ | 8 701 123 45 67 -> +77011234567
KZ | 8 (701) 123-45-67 -> +77011234567
KZ | 77011234567 -> +77011234567
KZ | 7011234567 -> +77011234567
KZ | 8 777 123 45 67 -> +77771234567
KZ | 8 (7172) 74-12-34 -> +77172741234
KZ | +7 7172 74 12 34 -> +77172741234
KZ | 8 (727) 250-12-34 -> +77272501234
KZ | 7 727 250 12 34 -> +77272501234
KZ | 8 800 080 77 77 -> +78000807777
KZ | 84951234567 -> +74951234567
KZ | 8 10 998 71 123 45 67 -> +998711234567
KZ | +998 71 123 45 67 -> +998711234567
KZ | 8 701 123 45 -> unknown
KZ | 250-12-34 -> unknown
KZ | 1001 -> extension 1001
# United Kingdom: trunk prefix 0
GB | +44 20 7946 0958 -> +442079460958
GB | +44 (0)20 7946 0958 -> +442079460958
GB | +44(0)2079460958 -> +442079460958
GB | 020 7946 0958 -> +442079460958
GB | (020) 7946 0958 -> +442079460958
GB | 02079460958 -> +442079460958
GB | 0044 20 7946 0958 -> +442079460958
GB | 00442079460958 -> +442079460958
GB | 442079460958 -> +442079460958
GB | 2079460958 -> +442079460958
GB | 07400 123456 -> +447400123456
GB | 7400123456 -> +447400123456
GB | 447400123456 -> +447400123456
GB | +44 7700 900123 -> +447700900123
GB | 0161 496 0000 -> +441614960000
GB | 0800 123 4567 -> +448001234567
GB | 01481 960194 -> +441481960194
GB | 020 7946 0958 ext 12 -> +442079460958 ext 12
GB | 020 7946 0958 ext. 12 -> +442079460958 ext 12
GB | 020 7946 0958 extension 12 -> +442079460958 ext 12
GB | 020 7946 0958 x12 -> +442079460958 ext 12
GB | 020 7946 0958x12 -> +442079460958 ext 12
GB | 020 7946 0958 X 12 -> +442079460958 ext 12
GB | 020 7946 0958-12 -> +442079460958 ext 12
GB | (020) 7946 0958 (ext 12) -> +442079460958 ext 12
GB | 020 7946 0958 #12 -> +442079460958 ext 12
GB | 7946 0958 -> unknown
GB | 020 7946 095 -> unknown
GB | 14155550123 -> +14155550123
GB | 4000 -> extension 4000
GB | withheld -> anonymous
# Germany: trunk prefix 0, numbers of any length
DE | +4930123456 -> +4930123456
DE | +49 30 123456 -> +4930123456
DE | +49 (0)30 123456 -> +4930123456
DE | (+49) 30 123456 -> +4930123456
DE | +49 (30) 12 34 56 -> +4930123456
DE | 030 123456 -> +4930123456
DE | 030/123456 -> +4930123456
DE | 030 / 12 34 56 -> +4930123456
DE | (030) 123456 -> +4930123456
DE | 030.12.34.56 -> +4930123456
DE | [030] 12 34 56 -> +4930123456
DE | 030·123456 -> +4930123456
DE | 030123456 -> +4930123456
DE | 0049 30 123456 -> +4930123456
DE | 004930123456 -> +4930123456
DE | 4930123456 -> +4930123456
DE | 49211123456 -> +49211123456
DE | +030123456 -> +4930123456
DE | +004930123456 -> +4930123456
DE | +0041446681800 -> +41446681800
DE | 0151 23456789 -> +4915123456789
DE | 4915123456789 -> +4915123456789
DE | 0800 1234567 -> +498001234567
DE | 032 123456789 -> +4932123456789
DE | 030 123456-12 -> +493012345612
DE | +49 30 123456-0 -> +49301234560
DE | +4930123456;ext=12 -> +4930123456 ext 12
DE | +4930123456 x12 -> +4930123456 ext 12
DE | 030 123456 Durchwahl 12 -> +4930123456 ext 12
DE | 030 123456 DW 12 -> +4930123456 ext 12
DE | 030 123456 Nst. 12 -> +4930123456 ext 12
DE | *31#030123456 -> +4930123456
DE | #31#030123456 -> +4930123456
DE | 123456 -> extension 123456
DE | 11833 -> extension 11833
DE | 110 -> extension 110
DE | +49 -> unknown
DE | ++4930123456 -> unknown
DE | 41446681800 -> +41446681800
DE | 431588010 -> +49431588010
# United States: no trunk prefix that has to be written, 011 abroad
US | +1 415 555 0123 -> +14155550123
US | +1 (415) 555-0123 -> +14155550123
US | (415) 555-0123 -> +14155550123
US | 415-555-0123 -> +14155550123
US | 415.555.0123 -> +14155550123
US | 1-415-555-0123 -> +14155550123
US | 4155550123 -> +14155550123
US | 14155550123 -> +14155550123
US | 1 800 555 1212 -> +18005551212
US | +1 876 555 1234 -> +18765551234
US | 011 44 20 7946 0958 -> +442079460958
US | 011442079460958 -> +442079460958
US | 0044 20 7946 0958 -> +442079460958
US | 442079460958 -> +442079460958
US | (415) 555-0123 x77 -> +14155550123 ext 77
US | (415) 555-0123 ext. 77 -> +14155550123 ext 77
US | (415) 555-0123 extn 77 -> +14155550123 ext 77
US | 415-555-0123-77 -> +14155550123 ext 77
US | 415-555-0123;77 -> +14155550123 ext 77
US | 555-0123 -> unknown
US | 1-800-FLOWERS -> unknown
US | 411 -> extension 411
US | 911 -> service
US | +911 -> service
US | tel:+1-415-555-0123 -> +14155550123
US | tel:+1-415-555-0123;ext=77 -> +14155550123 ext 77
US | tel:5550123;phone-context=+1415 -> +14155550123
US | tel:7042;phone-context=example.com -> extension 7042
# France: trunk prefix 0, nine digits
FR | +33 1 23 45 67 89 -> +33123456789
FR | +33 (0)1 23 45 67 89 -> +33123456789
FR | 01 23 45 67 89 -> +33123456789
FR | 01.23.45.67.89 -> +33123456789
FR | 0123456789 -> +33123456789
FR | 06 12 34 56 78 -> +33612345678
FR | 06-12-34-56-78 -> +33612345678
FR | 612345678 -> +33612345678
FR | 33612345678 -> +33612345678
FR | 0033 6 12 34 56 78 -> +33612345678
FR | 09 70 12 34 56 -> +33970123456
FR | 01 23 45 67 89 poste 12 -> +33123456789 ext 12
FR | 01 23 45 67 89 - 12 -> +33123456789 ext 12
FR | 06 12 34 56 -> unknown
FR | 3900 -> extension 3900
# Austria: trunk prefix 0, numbers of any length
AT | +43 1 588010 -> +431588010
AT | +43 (0)1 588010 -> +431588010
AT | 01 588010 -> +431588010
AT | 01/588 01 0 -> +431588010
AT | 01 58801-0 -> +431588010
AT | +43 1 58801-12 -> +4315880112
AT | 0664 1234567 -> +436641234567
AT | 436641234567 -> +436641234567
AT | 6641234567 -> +436641234567
AT | 431588010 -> +431588010
AT | 0043 664 1234567 -> +436641234567
AT | 0316 873-0 -> +433168730
AT | 20 -> extension 20
AT | 50106 -> extension 50106
# Switzerland: trunk prefix 0, nine digits
CH | +41 44 668 18 00 -> +41446681800
CH | +41 (0)44 668 18 00 -> +41446681800
CH | 044 668 18 00 -> +41446681800
CH | 044/668 18 00 -> +41446681800
CH | 0446681800 -> +41446681800
CH | 446681800 -> +41446681800
CH | 41446681800 -> +41446681800
CH | 0041 44 668 18 00 -> +41446681800
CH | 079 123 45 67 -> +41791234567
CH | 41791234567 -> +41791234567
CH | 044 668 18 00 DW 12 -> +41446681800 ext 12
CH | 668 18 00 -> unknown
CH | 1811 -> extension 1811
# Nobody's number, whatever the region
DE | anonymous -> anonymous
DE | Anonymous -> anonymous
DE | ANONYMOUS -> anonymous
DE | "" -> anonymous
DE | "   " -> anonymous
DE | unknown -> anonymous
DE | <unknown> -> anonymous
DE | unavailable -> anonymous
DE | private -> anonymous
DE | Restricted -> anonymous
DE | asterisk -> anonymous
DE | "anonymous  " -> anonymous
DE | 266696687 -> anonymous
DE | +266696687 -> anonymous
DE | sip:anonymous@anonymous.invalid -> anonymous
DE | sip:4711@anonymous.invalid -> anonymous
DE | "\\"Anonymous\\" <sip:anonymous@anonymous.invalid>;tag=9f" -> anonymous
DE | sip:unknown@10.0.0.1 -> anonymous
DE | tel:anonymous -> anonymous
DE | s -> service
DE | h -> service
DE | i -> service
DE | *97 -> service
DE | *8 -> service
DE | #31# -> service
DE | **1001 -> service
DE | *21*030123456# -> service
DE | 9*#0044 -> service
DE | * -> service
DE | # -> service
DE | %23%23 -> unknown
DE | sip:%2A97@pbx -> service
# Addresses
DE | sip:1001@pbx.example -> extension 1001
DE | sip:1001@10.0.0.5:5060;transport=udp -> extension 1001
DE | "\\"Ann\\" <sip:1001@pbx>" -> extension 1001
DE | "\\"Ann\\" <1001>" -> extension 1001
DE | Ann <1001> -> extension 1001
DE | "\\"Acme\\" <sip:+4930123456@carrier.example;user=phone>" -> +4930123456
DE | "\\"Acme <Sales>\\" <sip:+4930123456@carrier.example>;tag=1" -> +4930123456
DE | sips:+4930123456@carrier.example -> +4930123456
DE | sip:+4930123456;ext=12@carrier.example;user=phone -> +4930123456 ext 12
DE | sip:+4930123456;npdi;rn=+491234@carrier.example -> +4930123456
DE | sip:030123456;phone-context=+49@carrier.example -> +4930123456
DE | sip:30123456;phone-context=+49@carrier.example -> +4930123456
DE | sip:%2B4930123456@carrier.example -> +4930123456
DE | sip:+4930123456:secret@carrier.example -> +4930123456
DE | +4930123456@carrier.example -> +4930123456
DE | sip:alice@example.com -> uri
DE | alice@example.com -> uri
DE | sip:10.0.0.5 -> uri
DE | sip:carrier.example:5060 -> uri
DE | tel: -> uri
DE | 10.0.0.5 -> unknown
DE | 192.168.178.20 -> unknown
DE | alice -> unknown
# Other scripts, and what was copied along
DE | "+49\\u00a030\\u202f123456" -> +4930123456
DE | "030\\u2011123456" -> +4930123456
DE | "030\\u2013123456" -> +4930123456
DE | "030 123456\\t\\r\\n" -> +4930123456
DE | "  030 123456  " -> +4930123456
DE | "\\u202a+4930123456\\u202c" -> +4930123456
DE | "\\ufeff030123456" -> +4930123456
DE | "\\uff0b\\uff14\\uff19\\uff13\\uff10\\uff11\\uff12\\uff13\\uff14\\uff15\\uff16" -> +4930123456
DE | "\\u0660\\u0663\\u0660\\u0661\\u0662\\u0663\\u0664\\u0665\\u0666" -> +4930123456
DE | "\\u06f0\\u06f3\\u06f0\\u06f1\\u06f2\\u06f3\\u06f4\\u06f5\\u06f6" -> +4930123456
DE | "\\u0966\\u0969\\u0966\\u0967\\u0968\\u0969\\u096a\\u096b\\u096c" -> +4930123456
# Hostile
DE | 500&PJSIP/itsp/14165551212 -> unknown
DE | \${SHELL(id)} -> unknown
DE | '; drop table call; -- -> unknown
DE | <script>alert(1)</script> -> unknown
DE | +4930123456;rm -rf -> unknown
DE | 00000000000 -> unknown
DE | 99999999999999999999 -> unknown
DE | 0 -> unknown
`
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('# '))
  .map((line) => {
    const [, region = '', sent = '', expected = ''] = /^(\w\w) \| (.*) -> (.*)$/.exec(line) ?? [];
    return { line, region, sent: sent.startsWith('"') ? (JSON.parse(sent) as string) : sent, expected };
  });

function told({ number, kind, extension }: ReturnType<typeof readNumber>): string {
  if (kind === 'public') return `${number.e164}${extension === null ? '' : ` ext ${extension}`}`;
  return kind === 'extension' ? `extension ${extension}` : kind;
}

describe('a number as it was sent', () => {
  it('is tried in many forms', () => {
    expect(forms.length).toBeGreaterThan(250);
    expect(new Set(forms.map(({ line }) => line)).size).toBe(forms.length);
  });

  it.each(forms)('$line', ({ region, sent, expected }) => {
    expect(expected, 'the line can be read').not.toBe('');
    expect(told(readNumber(sent, region))).toBe(expected);
  });
});
