/** One WebSocket, as the platform gives it. */
export interface HostSocket {
  send(text: string): void;
  close(code: number, reason: string): void;
  /** Bytes that are sent and not yet taken by the network. */
  readonly bufferedAmount: number;
  /** Keeps a text of at most {@link ATTACHMENT_LENGTH} characters with the socket while the object sleeps. */
  keep(text: string): void;
  /** What was kept last. */
  kept(): string | undefined;
}

/** Whatever is in the text, it is shorter than the 16 KiB that the platform keeps. */
export const ATTACHMENT_LENGTH = 7_500;
