// Generated from the server's OpenAPI document by `npm run generate`. Do not edit.
// Until the first generation every address is allowed.
type Loose = { parameters: { query?: unknown; path?: unknown }; requestBody?: { content: { 'application/json': unknown } }; responses: { 200: { content: { 'application/json': unknown } } } };
export interface paths {
  [address: string]: { get: Loose; post: Loose; put: Loose; patch: Loose; delete: Loose; parameters: { query?: unknown } };
}
