// The one WebSocket. Text is JSON; binary is: length of the JSON (uint32, little-endian), the JSON, the pixels.

import { askToken, forgetToken, keptToken } from "./unlock.js";

const RETRY_MS = 1000;
const WRONG_TOKEN = 4401;

export class Link {
  /** `handlers`: one function per topic, called with (header, payload); `closed` when the socket is gone. */
  constructor(handlers) {
    this.handlers = handlers;
    this.open = false;
    this.wanted = "";
    this.connect();
  }

  connect() {
    this.socket = new WebSocket(`ws://${location.host}/stream`);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      this.open = true;
      this.wanted = "";
    };
    this.socket.onmessage = ({ data }) => this.dispatch(...decode(data));
    this.socket.onclose = ({ code }) => {
      this.open = false;
      this.handlers.closed();
      if (code === WRONG_TOKEN) forgetToken();
      setTimeout(() => this.connect(), RETRY_MS);
    };
  }

  dispatch(header, payload) {
    if (header.topic === "locked") this.unlock();
    this.handlers[header.topic]?.(header, payload);
  }

  /** Show the server the token: the one that was right before, or one that is asked for. */
  async unlock() {
    const { socket } = this;
    const token = keptToken() ?? (await askToken());
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ token }));
  }

  /** Tell the server which tiles are in view; the same twice is said once. Returns whether it was said. */
  want(view) {
    const text = JSON.stringify(view);
    if (!this.open || text === this.wanted) return false;
    this.wanted = text;
    this.socket.send(text);
    return true;
  }
}

function decode(data) {
  if (typeof data === "string") return [JSON.parse(data), null];
  const size = new DataView(data).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, size)));
  return [header, data.slice(4 + size)];
}
