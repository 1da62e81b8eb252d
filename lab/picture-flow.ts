import { createSocket, type Socket } from 'node:dgram';

/** Pictures from one phone to another, beside what SIPp says for them: RTP that nobody has to be able to show. */
export interface PictureFlow {
  /** Where the one listens that sends, and the other. */
  readonly cameraPort: number;
  readonly screenPort: number;
  /** Sends one after the other to a port of the switch, until it is stopped. */
  sendTo(port: number): void;
  /** How many have come to the other. */
  readonly seen: number;
  stop(): void;
}

const PAYLOAD_TYPE = 97;
const EVERY_MS = 40;
/** 90,000 a second. */
const TICKS = 90 * EVERY_MS;

export async function startPictureFlow(): Promise<PictureFlow> {
  const [camera, screen] = await Promise.all([bound(), bound()]);
  let seen = 0;
  let sent = 0;
  let timer: NodeJS.Timeout | undefined;
  screen.on('message', (came) => {
    if ((came[1] ?? 0) % 128 === PAYLOAD_TYPE) seen++;
  });
  return {
    cameraPort: camera.address().port,
    screenPort: screen.address().port,
    sendTo(port) {
      timer = setInterval(() => camera.send(packet(sent++), port, '127.0.0.1'), EVERY_MS);
    },
    get seen() {
      return seen;
    },
    stop() {
      clearInterval(timer);
      camera.close();
      screen.close();
    },
  };
}

/** A picture of H.264 that is one packet. */
function packet(number: number): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt8(0x80, 0);
  // With the mark that the picture is whole.
  header.writeUInt8(0x80 + PAYLOAD_TYPE, 1);
  header.writeUInt16BE(number % 0x10000, 2);
  header.writeUInt32BE(number * TICKS, 4);
  header.writeUInt32BE(1, 8);
  return Buffer.concat([header, Buffer.from([0x65, 0x88, 0x84])]);
}

function bound(): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket('udp4');
    socket.once('error', reject);
    socket.bind(0, '127.0.0.1', () => resolve(socket));
  });
}
