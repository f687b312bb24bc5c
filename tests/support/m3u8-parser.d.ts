/** The little that tests use of m3u8-parser, which has no types of its own. */
declare module 'm3u8-parser' {
  export const Parser: new () => {
    manifest: { segments: { uri: string; duration: number }[]; targetDuration: number };
    push(text: string): void;
    end(): void;
  };
}
