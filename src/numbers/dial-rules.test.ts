import { getCountries, getExampleNumber, type CountryCode } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { trunkEndpoint } from './dial-endpoint.js';
import { checkDial, dialRefusals, dialRulesSchema, type DialRules } from './dial-rules.js';
import { isEmergencyNumber } from './emergency-numbers.js';
import { parsePhoneNumber } from './phone-number.js';
import { formatForTrunk } from './trunk-format.js';

const rules = (input: Partial<DialRules> = {}): DialRules => dialRulesSchema.parse(input);
const defaults = rules();

// region | what is dialled -> E.164 that is allowed, or the reason it is refused, under the default rules.
// Verdicts are written from the numbering plans, one region a block.
const corpus = `
# US
US | +1 212 555 2368 -> +12125552368
US | (212) 555-2368 -> +12125552368
US | 1 212 555 2368 -> +12125552368
US | 12125552368 -> +12125552368
US | 415.555.2671 -> +14155552671
US | tel:+1-415-555-2671 -> +14155552671
US | 800 555 1212 -> +18005551212
US | +18885551212 -> +18885551212
US | 0011 -> short-number
US | 411 -> short-number
US | 611 -> short-number
US | 211 -> short-number
US | 12345 -> short-number
US | 5551234 -> invalid-number
US | 212 555 236 -> invalid-number
US | 212 555 23688 -> invalid-number
US | 112 555 2368 -> invalid-number
US | 012 555 2368 -> invalid-number
US | 911 -> emergency-number
US | 9-911 -> emergency-number
US | +1 911 -> emergency-number
US | 988 -> emergency-number
US | 900 555 1212 -> premium-number
US | +1 900 555 1212 -> premium-number
US | 500 555 1212 -> personal-number
US | +1 533 555 1212 -> personal-number
US | +1 876 555 1234 -> foreign-country
US | 876 555 1234 -> foreign-country
US | +1 809 555 1234 -> foreign-country
US | +1 829 555 1234 -> foreign-country
US | +1 849 555 1234 -> foreign-country
US | +1 242 356 1234 -> foreign-country
US | +1 246 430 1234 -> foreign-country
US | +1 264 497 1234 -> foreign-country
US | +1 268 460 1234 -> foreign-country
US | +1 284 494 1234 -> foreign-country
US | +1 345 949 1234 -> foreign-country
US | +1 441 292 1234 -> foreign-country
US | +1 473 440 1234 -> foreign-country
US | +1 649 946 1234 -> foreign-country
US | +1 664 491 1234 -> foreign-country
US | +1 721 542 1234 -> foreign-country
US | +1 758 452 1234 -> foreign-country
US | +1 767 448 1234 -> foreign-country
US | +1 784 457 1234 -> foreign-country
US | +1 868 622 1234 -> foreign-country
US | +1 869 465 1234 -> foreign-country
US | +1 416 555 1234 -> foreign-country
US | +1 787 555 1234 -> foreign-country
US | +1 671 472 1234 -> foreign-country
US | +1 600 555 1234 -> satellite-number
US | 011 44 20 7946 0958 -> foreign-country
US | 0044 20 7946 0958 -> foreign-country
US | 011 881 612345678 -> satellite-number
US | 011 44 999 -> emergency-number
US | 999 -> emergency-number
US | +52 55 1234 5678 -> foreign-country
# CA
CA | 416 967 1111 -> +14169671111
CA | +1 514 398 4455 -> +15143984455
CA | 1 800 555 1212 -> +18005551212
CA | 212 555 2368 -> foreign-country
CA | +1 600 555 1234 -> satellite-number
CA | 900 555 1212 -> premium-number
CA | 911 -> emergency-number
CA | 310 -> short-number
# GB
GB | 020 7946 0958 -> +442079460958
GB | +44 20 7946 0958 -> +442079460958
GB | +44 (0)20 7946 0958 -> +442079460958
GB | 0044 20 7946 0958 -> +442079460958
GB | 0161 496 0000 -> +441614960000
GB | 07400 123456 -> +447400123456
GB | 07700 900123 -> invalid-number
GB | 0330 123 4567 -> +443301234567
GB | 0300 123 4567 -> +443001234567
GB | 0800 123 4567 -> +448001234567
GB | 0808 157 0000 -> +448081570000
GB | 056 1234 5678 -> +445612345678
GB | 0845 123 4567 -> premium-number
GB | 0870 123 4567 -> premium-number
GB | 0844 123 4567 -> premium-number
GB | 0871 123 4567 -> premium-number
GB | 0909 879 0000 -> premium-number
GB | +44 906 123 4567 -> premium-number
GB | 070 1234 5678 -> personal-number
GB | +44 7012 345678 -> personal-number
GB | 01481 960 194 -> foreign-country
GB | 01534 456 789 -> foreign-country
GB | 01624 675 663 -> foreign-country
GB | 999 -> emergency-number
GB | 112 -> emergency-number
GB | 18000 -> emergency-number
GB | 101 -> short-number
GB | 111 -> short-number
GB | 118500 -> short-number
GB | +44 118500 -> invalid-number
GB | 116117 -> short-number
GB | 020 7946 095 -> invalid-number
GB | 020 7946 09588 -> invalid-number
GB | 00353 1 234 5678 -> foreign-country
# DE
DE | 030 123456 -> +4930123456
DE | 030/12 34 56 -> +4930123456
DE | +49 30 123456 -> +4930123456
DE | (+49) 30 123456 -> +4930123456
DE | 0049 30 123456 -> +4930123456
DE | +49 (0) 30 123456 -> +4930123456
DE | 0151 23456789 -> +4915123456789
DE | 0170 1234567 -> +491701234567
DE | 0800 1234567 -> +498001234567
DE | 032 123456789 -> +4932123456789
DE | 0900 1234567 -> premium-number
DE | 0900 3 123456 -> premium-number
DE | 0180 1234567 -> shared-cost-number
DE | 0180 5 123456 -> shared-cost-number
DE | 0700 12345678 -> personal-number
DE | 0164 123456 -> unknown-number-type
DE | 110 -> emergency-number
DE | 112 -> emergency-number
DE | 0112 -> emergency-number
DE | +49112 -> emergency-number
DE | +49 110 -> emergency-number
DE | 11833 -> short-number
DE | 118000 -> short-number
DE | 116117 -> short-number
DE | 115 -> short-number
DE | 19222 -> short-number
DE | 30002 -> short-number
DE | +49 11833 -> invalid-number
DE | 0041 44 668 18 00 -> foreign-country
DE | +43 1 5880 0 -> foreign-country
DE | +1 876 555 1234 -> foreign-country
DE | +1 900 555 1212 -> premium-number
DE | +800 1234 5678 -> foreign-country
DE | +4930123456789012345 -> invalid-number
DE | +49 30 12345678901234 -> invalid-number
# RU and KZ
RU | 8 495 123-45-67 -> +74951234567
RU | 8 (916) 123-45-67 -> +79161234567
RU | 89161234567 -> +79161234567
RU | 9161234567 -> +79161234567
RU | +7 916 123 45 67 -> +79161234567
RU | 79161234567 -> +79161234567
RU | 8 800 555 35 35 -> +78005553535
RU | 8 809 505 00 00 -> premium-number
RU | 8 803 123 45 67 -> premium-number
RU | 8 954 123 45 67 -> satellite-number
RU | 8 701 123 45 67 -> foreign-country
RU | +7 727 258 00 00 -> foreign-country
RU | 8 10 44 20 7946 0958 -> foreign-country
RU | 8 10 881 612345678 -> satellite-number
RU | +380 44 123 4567 -> foreign-country
RU | 01 -> emergency-number
RU | 02 -> emergency-number
RU | 101 -> emergency-number
RU | 103 -> emergency-number
RU | 112 -> emergency-number
RU | 8112 -> emergency-number
RU | +7 112 -> emergency-number
RU | 122 -> short-number
RU | 0611 -> short-number
RU | 100 -> short-number
RU | 1234567 -> invalid-number
RU | 8 495 123-45-6 -> invalid-number
KZ | 8 701 123 45 67 -> +77011234567
KZ | +7 727 258 00 00 -> +77272580000
KZ | 8 (727) 258-00-00 -> +77272580000
KZ | 8 800 080 77 77 -> +78000807777
KZ | 8 809 123 4567 -> premium-number
KZ | +7 916 123 45 67 -> foreign-country
KZ | 102 -> emergency-number
KZ | 1414 -> short-number
# FR
FR | 01 23 45 67 89 -> +33123456789
FR | 06 12 34 56 78 -> +33612345678
FR | 07 51 23 45 67 -> +33751234567
FR | +33 6 12 34 56 78 -> +33612345678
FR | 0033 1 23 45 67 89 -> +33123456789
FR | 09 72 12 34 56 -> +33972123456
FR | 0800 123 456 -> +33800123456
FR | 0891 23 45 67 -> premium-number
FR | 0899 12 34 56 -> premium-number
FR | 0820 12 34 56 -> shared-cost-number
FR | 0810 12 34 56 -> shared-cost-number
FR | 15 -> emergency-number
FR | 17 -> emergency-number
FR | 18 -> emergency-number
FR | 114 -> emergency-number
FR | +33 15 -> emergency-number
FR | 3615 -> short-number
FR | 118218 -> short-number
FR | 1023 -> short-number
FR | +262 692 12 34 56 -> foreign-country
FR | +590 690 00 12 34 -> foreign-country
FR | +32 2 512 34 56 -> foreign-country
FR | 06 12 34 56 7 -> invalid-number
# IT
IT | 06 1234 5678 -> +390612345678
IT | +39 06 1234 5678 -> +390612345678
IT | 02 1234 5678 -> +390212345678
IT | 347 123 4567 -> +393471234567
IT | 800 123 456 -> +39800123456
IT | 899 123456 -> premium-number
IT | 892 123 -> premium-number
IT | 848 123456 -> shared-cost-number
IT | 199 123 456 -> personal-number
IT | 178 123 4567 -> personal-number
IT | 112 -> emergency-number
IT | 113 -> emergency-number
IT | 118 -> emergency-number
IT | 1515 -> emergency-number
IT | 187 -> short-number
IT | 06 698 12345 -> foreign-country
IT | +378 0549 886377 -> foreign-country
# BR
BR | (11) 91234-5678 -> +5511912345678
BR | 011 91234 5678 -> +5511912345678
BR | (11) 3123-4567 -> +551131234567
BR | +55 21 3123 4567 -> +552131234567
BR | 0800 123 4567 -> +558001234567
BR | 0300 123 4567 -> shared-cost-number
BR | 0900 123 456 -> premium-number
BR | 4004 1234 -> shared-cost-number
BR | 190 -> emergency-number
BR | 193 -> emergency-number
BR | 10315 -> short-number
BR | +54 11 2345 6789 -> foreign-country
# IN
IN | 98765 43210 -> +919876543210
IN | 098765 43210 -> +919876543210
IN | +91 98765 43210 -> +919876543210
IN | 011 2345 6789 -> +911123456789
IN | 1800 11 2345 -> +911800112345
IN | 1860 123 4567 -> shared-cost-number
IN | 1867 123 4567 1 -> invalid-number
IN | 100 -> emergency-number
IN | 108 -> emergency-number
IN | 112 -> emergency-number
IN | 1098 -> emergency-number
IN | 139 -> short-number
IN | 55100 -> short-number
IN | +92 300 1234567 -> foreign-country
# AU and NZ
AU | 02 9374 4000 -> +61293744000
AU | 0412 345 678 -> +61412345678
AU | +61 412 345 678 -> +61412345678
AU | 1800 123 456 -> +611800123456
AU | 1300 123 456 -> shared-cost-number
AU | 13 12 34 -> shared-cost-number
AU | 1900 123 456 -> premium-number
AU | 0147 123 456 -> satellite-number
AU | 0500 123 456 -> invalid-number
AU | 000 -> emergency-number
AU | 106 -> emergency-number
AU | +61 000 -> emergency-number
AU | 1223 -> short-number
AU | 0011 44 20 7946 0958 -> foreign-country
AU | 0011 882 16 123456 -> satellite-number
AU | +61 8 9164 1234 -> foreign-country
NZ | 09 123 4567 -> invalid-number
NZ | 09 300 1234 -> +6493001234
NZ | 021 123 4567 -> +64211234567
NZ | 0800 123 456 -> +64800123456
NZ | 0900 12345 -> premium-number
NZ | 111 -> emergency-number
NZ | 018 -> short-number
# EE
EE | 5123 4567 -> +37251234567
EE | +372 5123456 -> +3725123456
EE | 6 123 456 -> +3726123456
EE | 800 2123 -> +3728002123
EE | 900 1234 -> premium-number
EE | 7012 3456 -> personal-number
EE | 112 -> emergency-number
EE | 1188 -> short-number
EE | +371 2123 4567 -> foreign-country
# JM, DO
JM | 876 555 1234 -> +18765551234
JM | +1 658 555 1234 -> +16585551234
JM | +1 212 555 2368 -> foreign-country
JM | 1 888 555 1212 -> +18885551212
JM | 119 -> emergency-number
DO | 809 555 1234 -> +18095551234
DO | 829 555 1234 -> +18295551234
DO | +1 849 555 1234 -> +18495551234
DO | +1 876 555 1234 -> foreign-country
DO | 911 -> emergency-number
# CH, AT, LI
CH | 044 668 18 00 -> +41446681800
CH | +41 79 123 45 67 -> +41791234567
CH | 0800 123 456 -> +41800123456
CH | 058 123 45 67 -> +41581234567
CH | 0900 123 456 -> premium-number
CH | 0848 123 456 -> shared-cost-number
CH | 0878 123 456 -> personal-number
CH | 117 -> emergency-number
CH | 1414 -> emergency-number
CH | 1818 -> short-number
CH | +423 234 56 78 -> foreign-country
AT | 01 234567890 -> +431234567890
AT | 0664 1234567 -> +436641234567
AT | 0800 123456 -> +43800123456
AT | 0900 123456 -> premium-number
AT | 0930 123456 -> premium-number
AT | 0810 123456 -> shared-cost-number
AT | 0720 123456 -> +43720123456
AT | 133 -> emergency-number
AT | 1450 -> short-number
AT | 118877 -> short-number
# ES, PT
ES | 912 345 678 -> +34912345678
ES | 612 34 56 78 -> +34612345678
ES | 900 123 456 -> +34900123456
ES | 803 123 456 -> premium-number
ES | 806 12 34 56 -> premium-number
ES | 901 123 456 -> shared-cost-number
ES | 701 234 567 -> personal-number
ES | 091 -> emergency-number
ES | 11888 -> short-number
ES | +351 21 234 5678 -> foreign-country
PT | 21 234 5678 -> +351212345678
PT | 912 345 678 -> +351912345678
PT | 760 123 456 -> premium-number
PT | 808 123 456 -> shared-cost-number
PT | 884 123 456 -> personal-number
# NL, BE, LU
NL | 010 123 4567 -> +31101234567
NL | 06 12345678 -> +31612345678
NL | 0800 1234 -> +318001234
NL | 0900 1234567 -> premium-number
NL | 0906 123456 -> premium-number
NL | 085 123 4567 -> +31851234567
NL | 14020 -> +3114020
NL | 112 -> emergency-number
BE | 02 512 34 56 -> +3225123456
BE | 0470 12 34 56 -> +32470123456
BE | 0800 12345 -> +3280012345
BE | 0903 12 345 -> premium-number
BE | 101 -> emergency-number
BE | 1207 -> short-number
LU | 27 12 34 56 -> +35227123456
LU | 628 123 456 -> +352628123456
LU | 2020 -> short-number
LU | 900 12345 -> premium-number
# Nordics
SE | 08 123 456 78 -> +46812345678
SE | 070 123 45 67 -> +46701234567
SE | 020 123 456 -> +4620123456
SE | 0900 123 45 67 -> premium-number
SE | 0939 123 4567 -> premium-number
SE | 077 123 45 67 -> shared-cost-number
SE | 112 -> emergency-number
SE | 118118 -> short-number
NO | 21 23 45 67 -> +4721234567
NO | 406 12 345 -> +4740612345
NO | 800 12 345 -> +4780012345
NO | 820 12 345 -> premium-number
NO | 810 21 234 -> shared-cost-number
NO | 880 12 345 -> personal-number
NO | 02800 -> +4702800
NO | 113 -> emergency-number
NO | 1881 -> short-number
DK | 32 12 34 56 -> +4532123456
DK | 80 12 34 56 -> +4580123456
DK | 90 12 34 56 -> premium-number
DK | 1813 -> short-number
FI | 09 1234 567 -> +35891234567
FI | 041 2345678 -> +358412345678
FI | 0800 123 456 -> +358800123456
FI | 0600 12345 -> premium-number
FI | 116117 -> short-number
# Eastern Europe, Turkey
PL | 12 345 67 89 -> +48123456789
PL | 512 345 678 -> +48512345678
PL | 800 123 456 -> +48800123456
PL | 700 123 456 -> premium-number
PL | 801 123 456 -> shared-cost-number
PL | 997 -> emergency-number
PL | 19115 -> short-number
CZ | 212 345 678 -> +420212345678
CZ | 601 123 456 -> +420601123456
CZ | 900 123 456 -> premium-number
CZ | 811 234 567 -> shared-cost-number
CZ | 155 -> emergency-number
UA | 044 123 4567 -> +380441234567
UA | 050 123 4567 -> +380501234567
UA | 0900 212 345 -> premium-number
UA | 103 -> emergency-number
TR | 0212 345 67 89 -> +902123456789
TR | 0501 234 56 78 -> +905012345678
TR | 444 1 444 -> +904441444
TR | 0900 123 45 67 -> premium-number
TR | 155 -> emergency-number
# Asia
JP | 03 1234 5678 -> +81312345678
JP | 090 1234 5678 -> +819012345678
JP | 050 1234 5678 -> +815012345678
JP | 0120 123 456 -> +81120123456
JP | 0990 123 456 -> premium-number
JP | 110 -> emergency-number
JP | 104 -> short-number
JP | 010 44 20 7946 0958 -> foreign-country
CN | 010 1234 5678 -> +861012345678
CN | 131 2345 6789 -> +8613123456789
CN | 400 123 4567 -> shared-cost-number
CN | 1349 123 4567 -> satellite-number
CN | 1740 123 4567 -> satellite-number
CN | 120 -> emergency-number
CN | 10086 -> short-number
CN | 95588 -> short-number
KR | 02 2123 4567 -> +82221234567
KR | 010 2000 0000 -> +821020000000
KR | 060 212 3456 -> premium-number
KR | 119 -> emergency-number
HK | 2123 4567 -> +85221234567
HK | 5123 4567 -> +85251234567
HK | 900 1234 5678 -> premium-number
HK | 999 -> emergency-number
SG | 6123 4567 -> +6561234567
SG | 1900 123 4567 -> premium-number
SG | 995 -> emergency-number
ID | 0812 345 678 -> +62812345678
ID | 0868 1234 567 -> satellite-number
AE | 04 234 5678 -> +97142345678
AE | 900 234567 -> premium-number
AE | 999 -> emergency-number
IL | 03 123 4567 -> +97231234567
IL | 02 123 4567 -> +97221234567
IL | 1 700 123 456 -> shared-cost-number
IL | 1 919 123 456 -> premium-number
IL | 101 -> emergency-number
# Africa, Latin America
ZA | 010 123 4567 -> +27101234567
ZA | 071 123 4567 -> +27711234567
ZA | 0862 123 456 -> premium-number
ZA | 0860 123 456 -> shared-cost-number
ZA | 10111 -> emergency-number
NG | 0802 123 4567 -> +2348021234567
KE | 0712 123 456 -> +254712123456
MX | 55 1234 5678 -> +525512345678
MX | 900 123 4567 -> premium-number
MX | 911 -> emergency-number
AR | 011 2345 6789 -> +541123456789
AR | 011 15 2345 6789 -> +5491123456789
AR | 0600 123 4567 -> premium-number
# Codes of no country, from anywhere
DE | +870 773 111 632 -> satellite-number
DE | 00870 773 111 632 -> satellite-number
DE | +871 123456789 -> satellite-number
DE | +881 6 12345678 -> satellite-number
DE | +881 7 12345678 -> satellite-number
GB | 00 881 8 12345678 -> satellite-number
GB | +882 16 123456 -> satellite-number
GB | +882 99 1234567 -> satellite-number
GB | +883 5100 12345678 -> satellite-number
GB | +883 140 1234567 -> satellite-number
RU | +979 1 1234 5678 -> premium-number
RU | +979 123 456 789 -> premium-number
RU | +808 1234 5678 -> shared-cost-number
RU | +878 10 1234567890 -> personal-number
RU | +888 123 456 789 -> unknown-number-type
RU | +800 1234 5678 -> foreign-country
RU | +881 -> invalid-number
RU | +999 123 456 789 -> invalid-number
RU | +210 123 456 789 -> invalid-number
RU | +0 123 456 789 -> invalid-number
# Revenue-share destinations of toll fraud: abroad all the same
US | +252 61 5123456 -> foreign-country
US | +53 5 1234567 -> foreign-country
US | +371 21 234 567 -> foreign-country
US | +387 61 123 456 -> foreign-country
US | +232 25 123456 -> foreign-country
US | +216 20 123 456 -> foreign-country
US | +220 301 2345 -> foreign-country
US | +960 771 2345 -> foreign-country
US | +675 7012 3456 -> foreign-country
US | +247 40123 -> foreign-country
`
  .split('\n')
  .filter((line) => line.includes('->'))
  .map((line) => /^([A-Z]{2}) \| (.*) -> (\S+)$/.exec(line) ?? [line, '??', line, 'unreadable row'])
  .map(([, region = '', to = '', verdict = '']) => ({ region, to, verdict }));

// Never a number, whatever the region: bad input of the API and attacks on the dial string.
const notNumbers: readonly string[] = [
  '',
  ' ',
  '   ',
  '+',
  '-',
  '()',
  '...',
  'tel:',
  'alice',
  '1-800-FLOWERS',
  'tel:alice',
  'sip:alice@example.com',
  'sip:+12125552368@example.com',
  'anonymous',
  's',
  '+1212555236a',
  'a+12125552368',
  '212 555 2368 ext 5',
  '212 555 2368 x5',
  '+12125552368&PJSIP/14165551212@trunk',
  '&+12125552368',
  '+12125552368&',
  '+1212&5552368',
  '+1212;5552368',
  '+1212,5552368',
  '+1212$5552368',
  '+1212{5552368}',
  '+1212=5552368',
  '500&PJSIP/itsp/14165551212',
  '${EXTEN}',
  '+1${SHELL(id)}',
  '$[1+1]',
  '+12125552368;phone-context=+44',
  'tel:+12125552368;ext=5',
  '+12125552368,,123',
  '+12125552368@trunk',
  '+12125552368/n',
  'Local/1@default',
  'PJSIP/alice',
  '*67 212 555 2368',
  '#31#2125552368',
  '**21*2125552368#',
  '2125552368#',
  '+1 212 555 2368\n',
  '\n2125552368',
  '212\t555\t2368',
  '212\r\n5552368',
  '2125552368\u0000',
  '\u0000',
  '\u202e2125552368',
  '212\u200b5552368',
  '２１２５５５２３６８',
  '٢١٢٥٥٥٢٣٦٨',
  '++12125552368',
  '1+2125552368',
  '+1+2125552368',
  '(+1+)2125552368',
  "2125552368' or '1'='1",
  '<script>',
  '2125552368\\',
  '212%20555%202368',
  '212_555_2368',
  '1'.repeat(21),
  '1'.repeat(300),
  '+'.repeat(300),
  '('.repeat(290) + '2125552368',
  'x'.repeat(300),
];

describe('dial rules', () => {
  it('is tried on more than 300 numbers', () => {
    expect(corpus.length).toBeGreaterThan(300);
    expect(new Set(corpus.map(({ region, to }) => `${region} ${to}`)).size).toBe(corpus.length);
    const reached = new Set(corpus.map(({ verdict }) => (verdict.startsWith('+') ? 'ok' : verdict)));
    // Every reason but the tenant's own list, which needs other rules.
    const reasons = Object.keys(dialRefusals).filter((reason) => reason !== 'blocked-number');
    expect([...reached].sort()).toEqual(['ok', ...reasons].sort());
  });

  it.each(corpus)('in $region answers $to with $verdict', ({ region, to, verdict }) => {
    const given = checkDial(to, region, defaults);
    expect(given.ok ? given.e164 : given.reason).toBe(verdict);
    if (!given.ok) expect(given.problem).toBe(verdict === 'invalid-number' ? 'invalid-number' : 'number-blocked');
  });

  it.each(notNumbers)('refuses %j as no number', (to) => {
    for (const region of ['US', 'DE', 'RU', 'AQ']) {
      expect(checkDial(to, region, defaults)).toMatchObject({
        ok: false,
        problem: 'invalid-number',
        reason: 'invalid-number',
      });
    }
  });

  it('tells in a sentence what is wrong and never repeats what was sent', () => {
    for (const to of [...notNumbers.filter((text) => text.trim().length > 3), ...corpus.map((row) => row.to)]) {
      const given = checkDial(to, 'US', defaults);
      if (given.ok) continue;
      expect(given.detail).toMatch(/^[A-Z].{15,150}\.$/);
      expect(given.detail).not.toContain(to);
    }
  });

  it('dials the countries that the tenant lists, and then only these', () => {
    const some = rules({ countries: ['FR', 'JM'] });
    expect(checkDial('+33612345678', 'DE', some)).toEqual({ ok: true, e164: '+33612345678' });
    expect(checkDial('+18765551234', 'DE', some)).toEqual({ ok: true, e164: '+18765551234' });
    expect(checkDial('+12125552368', 'DE', some)).toMatchObject({ reason: 'foreign-country' });
    expect(checkDial('030 123456', 'DE', some)).toMatchObject({ reason: 'foreign-country' });
    expect(checkDial('+33899123456', 'DE', some)).toMatchObject({ reason: 'premium-number' });
    expect(checkDial('+33 17', 'DE', some)).toMatchObject({ reason: 'emergency-number' });
  });

  it('keeps premium, shared-cost, personal and satellite numbers out when every country is allowed', () => {
    const all = rules({ countries: getCountries() });
    for (const { to, region, verdict } of corpus) {
      const given = checkDial(to, region, all);
      if (verdict.startsWith('+')) expect([to, given]).toEqual([to, { ok: true, e164: verdict }]);
      else if (verdict !== 'foreign-country') expect([to, given]).toMatchObject([to, { ok: false, reason: verdict }]);
      else if (!to.startsWith('+800')) expect([to, given]).toMatchObject([to, { ok: true }]);
    }
  });

  it('refuses the numbers and prefixes on the tenant’s block list', () => {
    const blocking = rules({ blockedNumbers: ['+12125552368', '+1415*'] });
    expect(checkDial('(212) 555-2368', 'US', blocking)).toMatchObject({
      ok: false,
      problem: 'number-blocked',
      reason: 'blocked-number',
    });
    expect(checkDial('415 555 2671', 'US', blocking)).toMatchObject({ reason: 'blocked-number' });
    expect(checkDial('212 555 2369', 'US', blocking)).toEqual({ ok: true, e164: '+12125552369' });
    expect(checkDial('212 555 4150', 'US', blocking)).toEqual({ ok: true, e164: '+12125554150' });
  });

  it('takes E.164 only where the region has no numbering plan', () => {
    for (const region of ['AQ', 'ZZ', '', 'us', '__proto__']) {
      expect(checkDial('212 555 2368', region, rules({ countries: ['US'] }))).toMatchObject({
        reason: 'invalid-number',
      });
      expect(checkDial('+12125552368', region, rules({ countries: ['US'] }))).toMatchObject({ ok: true });
      expect(checkDial('+12125552368', region, defaults)).toMatchObject({ reason: 'foreign-country' });
    }
  });

  it('accepts only rules that mean something', () => {
    expect(dialRulesSchema.parse({})).toEqual({ countries: [], blockedNumbers: [] });
    for (const wrong of [
      { countries: ['XX'] },
      { countries: ['de'] },
      { countries: ['__proto__'] },
      { countries: [''] },
      { countries: 'DE' },
      { blockedNumbers: ['0301234'] },
      { blockedNumbers: ['*'] },
      { blockedNumbers: ['+*'] },
      { blockedNumbers: ['+49*30'] },
      { blockedNumbers: ['+4930123456\n'] },
      { blockedNumbers: Array.from({ length: 1001 }, () => '+4930123456') },
      { allowPremium: true },
    ]) {
      expect([wrong, dialRulesSchema.safeParse(wrong).success]).toEqual([wrong, false]);
    }
  });
});

describe('any string at all', () => {
  const allowedEndpoint = /^PJSIP\/[0-9*#+]{3,32}@trunk$/;
  const fragments = fc.oneof(
    fc.constantFrom('+', '00', '011', '0', '1', '8', '49', '44', '7', '33', '30', '212', '916', '20', '555', '123456'),
    fc.constantFrom(' ', '(', ')', '-', '.', '/', 'tel:', ';', '&', ',', '${', '}', '\n', '\u0000', '*', '#', 'a', '@'),
  );
  const anything = fc.oneof(
    { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
    { weight: 1, arbitrary: fc.string({ unit: fc.constantFrom(...'+0123456789 ()-./'), maxLength: 20 }) },
    { weight: 2, arbitrary: fc.array(fragments, { maxLength: 8 }).map((parts) => parts.join('')) },
    { weight: 2, arbitrary: fc.stringMatching(/^(\+49|0|0049|\+1|\+7|8)[1-9][0-9]{8,9}[&; $a\n]?$/) },
  );
  const region = fc.constantFrom('US', 'GB', 'DE', 'RU', 'FR', 'BR', 'AU', 'AQ');
  const all = rules({ countries: getCountries() });
  const refusals = new Set<string>(Object.keys(dialRefusals));

  it('never throws and never yields an endpoint outside the allow-list', () => {
    let dialled = 0;
    fc.assert(
      fc.property(anything, region, fc.constantFrom('plus-e164', 'e164', 'national'), (to, from, format) => {
        const given = checkDial(to, from, all);
        if (!given.ok) {
          if (!refusals.has(given.reason)) throw new Error(`unnamed reason ${given.reason}`);
          return;
        }
        dialled += 1;
        const endpoint = trunkEndpoint(formatForTrunk(given.e164, { format, prefix: '9' }, from), 'trunk');
        if (!allowedEndpoint.test(endpoint)) throw new Error(endpoint);
        // A second, own allow-list of what may have been typed.
        if (/[^+0-9 ()./\-\u00a0\u2007\u2009\u202f\u2010-\u2015\u2212]/.test(to.replace(/^ *tel:/i, ''))) {
          throw new Error(`dialled ${JSON.stringify(to)}`);
        }
      }),
      { numRuns: 100_000 },
    );
    // Otherwise the property would hold because nothing was ever dialled.
    expect(dialled).toBeGreaterThan(5000);
  }, 120_000);
});

describe('a number that may be dialled', () => {
  const all = rules({ countries: getCountries() });
  // A real mobile number of every country, with its last digits turned into others.
  const dialled = fc
    .tuple(fc.constantFrom(...getCountries()), fc.integer({ min: 0, max: 999 }))
    .map(([country, tail]) => {
      const example = getExampleNumber(country, examples)?.number ?? '+4915123456789';
      return { country, e164: example.slice(0, -3) + String(tail).padStart(3, '0') };
    });
  const trunkRegion: fc.Arbitrary<CountryCode> = fc.constantFrom('US', 'GB', 'DE', 'RU', 'IT', 'BR', 'AU', 'JP', 'KZ');

  it('is the same number after formatting for the trunk and reading back, at home and abroad', () => {
    let tried = 0;
    fc.assert(
      fc.property(dialled, fc.boolean(), trunkRegion, ({ country, e164 }, atHome, elsewhere) => {
        const from = atHome ? country : elsewhere;
        const given = checkDial(e164, from, all);
        if (!given.ok) return;
        tried += 1;
        expect(given.e164).toBe(e164);
        const plus = formatForTrunk(e164, { format: 'plus-e164' }, from);
        const bare = formatForTrunk(e164, { format: 'e164' }, from);
        const national = formatForTrunk(e164, { format: 'national' }, from);
        expect([plus, `+${bare}`]).toEqual([e164, e164]);
        const readBack = checkDial(national, from, all);
        // A number of up to six digits is a short form when written bare; see isShortForm.
        if (national.length > 6) expect([country, from, national, readBack]).toEqual([country, from, national, given]);
        if (national.length > 6) expect(parsePhoneNumber(national, from).e164).toBe(e164);
        expect(parsePhoneNumber(plus, from).e164).toBe(e164);
      }),
      { numRuns: 6000 },
    );
    expect(tried).toBeGreaterThan(3000);
  }, 60_000);

  it('is never an emergency number in the form the trunk dials', () => {
    fc.assert(
      fc.property(dialled, ({ country, e164 }) => {
        if (!checkDial(e164, country, all).ok) return;
        const national = formatForTrunk(e164, { format: 'national' }, country);
        expect([e164, national, isEmergencyNumber(national, country)]).toEqual([e164, national, false]);
      }),
      { numRuns: 5000 },
    );
  });
});
