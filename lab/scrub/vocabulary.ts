import {
  callDirections,
  callOutcomes,
  callStatuses,
  hangupParties,
  outcomeReasons,
  participantRoles,
  recordingStates,
} from '../../src/calls/domain/call.js';
import { callEventTypes } from '../../src/calls/domain/call-event.js';
import { factSources, LOGGED, NODE_RESTARTED, recordingActions, releaseReasons } from '../../src/calls/domain/fact.js';
import { gapKinds } from '../../src/calls/domain/gap.js';

/** Fields whose text is a word of Asterisk's or ours, when it is one of these words. */
export const wordFields: ReadonlySet<string> = new Set(
  `type kind state dialstatus technology bridge_technology bridge_type bridge_class video_mode creator source side why by reason outcome
   outcomeReason direction status control role release what autoAnswer app application app_name args app_data text cause_txt
   eventname code mode`.split(/\s+/),
);

/** Asterisk's texts of Q.850 causes (`causes.h`). */
const causes = [
  'Unknown',
  'Unallocated (unassigned) number',
  'No route to specified transit network',
  'No route to destination',
  'Misdialed trunk prefix',
  'Channel unacceptable',
  'Call awarded and being delivered in an established channel',
  'Pre-empted',
  'Number ported elsewhere',
  'Normal Clearing',
  'User busy',
  'No user responding',
  'User alerting, no answer',
  'Subscriber absent',
  'Call Rejected',
  'Number changed',
  'Redirected to new destination',
  'Answered elsewhere',
  'Destination out of order',
  'Invalid number format',
  'Facility rejected',
  'Response to STATus ENQuiry',
  'Normal, unspecified',
  'Circuit/channel congestion',
  'Network out of order',
  'Temporary failure',
  'Switching equipment congestion',
  'Access information discarded',
  'Requested channel not available',
  'Facility not subscribed',
  'Outgoing call barred',
  'Incoming call barred',
  'Bearer capability not authorized',
  'Bearer capability not available',
  'Bearer capability not implemented',
  'Channel not implemented',
  'Facility not implemented',
  'Invalid call reference value',
  'Incompatible destination',
  'Invalid message unspecified',
  'Mandatory information element is missing',
  'Message type nonexist.',
  'Wrong message',
  'Info. element nonexist or not implemented',
  'Invalid information element contents',
  'Message not compatible with call state',
  'Recover on timer expiry',
  'Mandatory IE length error',
  'Protocol error, unspecified',
  'Interworking, unspecified',
];

export const words: ReadonlySet<string> = new Set([
  ...callDirections,
  ...callOutcomes,
  ...callStatuses,
  ...hangupParties,
  ...outcomeReasons,
  ...participantRoles,
  ...callEventTypes,
  ...factSources,
  ...releaseReasons,
  ...recordingActions,
  ...recordingStates,
  ...gapKinds,
  LOGGED,
  ...causes,
  NODE_RESTARTED,
  'Dialing Offhook',
  ...`opened closed frame snapshot routed told missed
    gap placed cancel-asked handed-back unreachable annotated planned created dial-sent refused dialling ringing progress answered
    joined parted hangup-asked cause released left-control ended hold-asked mute-asked held resumed muted unmuted
    digits-asked digits-sent transfer-asked transfer-complete-asked transfer-cancel-asked transferred transfer-failed
    transfer-wished wish-refused taken-over blind attended number consulted
    remote agent driven observed click-to-call ring-line none call-info alert-info api system
    Down Rsrved OffHook Dialing Ring Ringing Up Busy Pre-ring
    RINGING PROGRESS PROCEEDING ANSWER BUSY CANCEL CHANUNAVAIL CONGESTION DONTCALL NOANSWER TORTURE INVALIDARGS
    simple_bridge native_rtp softmix holding_bridge mixing holding base stasis talker single sfu
    Stasis inbound leg ringline ringline-clock AppDial AppDial2 Dial Playback Answer Hangup Echo Wait Goto Set
    ApplicationReplaced ApplicationRegistered BridgeCreated BridgeDestroyed BridgeMerged BridgeBlindTransfer
    BridgeAttendedTransfer ChannelCallerId ChannelConnectedLine ChannelCreated ChannelDestroyed ChannelDialplan
    ChannelDtmfReceived ChannelEnteredBridge ChannelHangupRequest ChannelHold ChannelLeftBridge ChannelStateChange
    ChannelTalkingFinished ChannelTalkingStarted ChannelToneDetected ChannelTransfer ChannelUnhold ChannelUserevent
    ChannelVarset ContactStatusChange DeviceStateChanged EndpointStateChange PeerStatusChange PlaybackContinuing
    PlaybackFinished PlaybackStarted RecordingFailed RecordingFinished RecordingStarted StasisEnd StasisStart
    TextMessageReceived
    CHAN_START CHAN_END HANGUP APP_START APP_END BRIDGE_ENTER BRIDGE_EXIT
    credentials-refused asterisk-too-old not-asterisk modules-missing asterisk-outdated asterisk-version-unknown`.split(
    /\s+/,
  ),
]);

/** Where a number or a name should be and none is; the last are where Asterisk says that a wire leads to another room. */
export const nobody: ReadonlySet<string> = new Set(
  ['', 's', 'anonymous', 'Anonymous', 'unknown', 'unavailable'].concat(['transfer', '_attended']),
);
