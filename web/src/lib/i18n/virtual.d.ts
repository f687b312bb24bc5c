declare module 'virtual:messages/*' {
  const messages: Record<string, string | ((args: Record<string, unknown>) => string)>;
  export default messages;
}

// The package has this entry but no types for it.
declare module '@messageformat/core/compile-module' {
  import type MessageFormat from '@messageformat/core';
  export default function compileModule(messageformat: MessageFormat, messages: Record<string, string>): string;
}
