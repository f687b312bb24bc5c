/** Every call of moderation, by its verb. Each throws an ApiError when refused. */
import type { Page } from '@nacre/contract/common';
import type {
  Appeal, AppealCase, AppealDecision, LoggedDecision, Measure, MeasureCreate, ModerationReason, OfficeMeasure, Report,
  ReportCase, ReportCreate, ReportDecision, ShopReport, ShowEnd, Standing, TalkSetting, WordList,
} from '@nacre/contract/moderation';
import { api, ask } from '#lib/api.ts';

const pageLimit = 20;

interface Why {
  reason: ModerationReason;
  words: string;
}

type PartOf<T> = Promise<Page<T>>;
type AllOf<T> = Promise<{ items: T[] }>;
const ofShow = (showId: string) => ({ params: { path: { showId } } });
const ofShop = (shopId: string) => ({ params: { path: { shopId } } });

// ---- whoever is here

export const loadStanding = (showId: string): Promise<Standing> =>
  ask(api.GET('/api/shows/{showId}/standing', ofShow(showId)));

export const report = (body: ReportCreate): Promise<Report> => ask(api.POST('/api/reports', { body }));

export const appeal = (measureId: string, words: string): Promise<Appeal> =>
  ask(api.POST('/api/me/measures/{measureId}/appeal', { params: { path: { measureId } }, body: { words } }));

export const loadOwnMeasures = async (): Promise<Measure[]> =>
  (await (ask(api.GET('/api/me/measures')) as AllOf<Measure>)).items;

// ---- the shop

/** One's own without a reason; somebody else's is a measure. */
export async function removeMessage(showId: string, messageId: string, why?: Why): Promise<void> {
  const params = { path: { showId, messageId }, query: why ?? {} };
  await ask(api.DELETE('/api/shows/{showId}/chat/{messageId}', { params }));
}

export const takeMeasure = (showId: string, body: MeasureCreate): Promise<OfficeMeasure> =>
  ask(api.POST('/api/office/shows/{showId}/measures', { ...ofShow(showId), body }));

export async function liftMeasure(measureId: string): Promise<void> {
  await ask(api.POST('/api/office/measures/{measureId}/lift', { params: { path: { measureId } } }));
}

export const holdTalk = (showId: string, body: TalkSetting): Promise<TalkSetting> =>
  ask(api.PUT('/api/office/shows/{showId}/talk', { ...ofShow(showId), body }));

export const listMeasures = (
  shopId: string, query: { showId?: string; inForce?: boolean; cursor?: string | undefined },
): PartOf<OfficeMeasure> => ask(
  api.GET('/api/office/shops/{shopId}/measures', {
    params: { path: { shopId }, query: { ...query, limit: pageLimit } },
  }),
);

export const listShopReports = async (shopId: string): Promise<ShopReport[]> =>
  (await (ask(api.GET('/api/office/shops/{shopId}/reports', ofShop(shopId))) as AllOf<ShopReport>)).items;

export const loadWords = async (shopId: string): Promise<string[]> =>
  ((await ask(api.GET('/api/office/shops/{shopId}/words', ofShop(shopId)))) as WordList).words;

export const setWords = async (shopId: string, words: string[]): Promise<string[]> =>
  ((await ask(api.PUT('/api/office/shops/{shopId}/words', { ...ofShop(shopId), body: { words } }))) as WordList).words;

export const testWords = async (shopId: string, text: string): Promise<boolean> =>
  (await ask(api.POST('/api/office/shops/{shopId}/words/test', { ...ofShop(shopId), body: { text } }))).isRefused;

// ---- the operator

export type CaseState = 'open' | 'decided';
const casesOf = (state: CaseState, cursor?: string) => ({ params: { query: { state, cursor, limit: pageLimit } } });

export const listReports = (state: CaseState, cursor?: string): PartOf<ReportCase> =>
  ask(api.GET('/api/platform/reports', casesOf(state, cursor))) as PartOf<ReportCase>;

export const listAppeals = (state: CaseState, cursor?: string): PartOf<AppealCase> =>
  ask(api.GET('/api/platform/appeals', casesOf(state, cursor))) as PartOf<AppealCase>;

export const listDecisions = (cursor?: string): PartOf<LoggedDecision> =>
  ask(
    api.GET('/api/platform/decisions', { params: { query: { cursor, limit: pageLimit } } }),
  ) as PartOf<LoggedDecision>;

export const decideReport = (reportId: string, body: ReportDecision): Promise<ReportCase> =>
  ask(
    api.POST('/api/platform/reports/{reportId}/decide', { params: { path: { reportId } }, body }),
  ) as Promise<ReportCase>;

export const decideAppeal = (appealId: string, body: AppealDecision): Promise<Appeal> =>
  ask(api.POST('/api/platform/appeals/{appealId}/decide', { params: { path: { appealId } }, body }));

export async function endShowAsOperator(showId: string, body: ShowEnd): Promise<void> {
  await ask(api.POST('/api/platform/shows/{showId}/end', { ...ofShow(showId), body }));
}
