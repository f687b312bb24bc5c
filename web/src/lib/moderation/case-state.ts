import type { CaseState } from './moderation-api.ts';

/** What a list of cases shows stands in its address: `?state=decided`, else the open ones. */
export function caseState(url: URL): CaseState {
  return url.searchParams.get('state') === 'decided' ? 'decided' : 'open';
}
