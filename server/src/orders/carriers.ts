/**
 * Where carriers tell how far a parcel is. Pure.
 *
 * Carriers are what a shop calls them, in whatever language. Whoever is not here is shown without a link, which loses
 * nothing: the number stands there to be copied.
 */

/** The domestic carriers of China have no page that takes a number in its address; kuaidi100 shows them all. */
const kuaidi100 = (carrier: string) => `https://www.kuaidi100.com/chaxun?com=${carrier}&nu=`;

/** Names in small letters without spaces and signs, and the address that a number is put at the end of. */
const PAGES: ReadonlyArray<readonly [names: readonly string[], address: string]> = [
  [['sf', 'sfexpress', '顺丰', '顺丰速运', '顺丰快递'], kuaidi100('shunfeng')],
  [['zto', 'ztoexpress', '中通', '中通快递'], kuaidi100('zhongtong')],
  [['yto', 'ytoexpress', '圆通', '圆通速递', '圆通快递'], kuaidi100('yuantong')],
  [['sto', 'stoexpress', '申通', '申通快递'], kuaidi100('shentong')],
  [['yunda', 'yundaexpress', '韵达', '韵达快递', '韵达速递'], kuaidi100('yunda')],
  [['jt', 'jtexpress', '极兔', '极兔速递'], kuaidi100('jtexpress')],
  [['jd', 'jdlogistics', 'jdexpress', '京东', '京东物流', '京东快递'], kuaidi100('jd')],
  [['deppon', '德邦', '德邦快递'], kuaidi100('debangkuaidi')],
  [['ems', '邮政ems', '中国邮政ems'], kuaidi100('ems')],
  [['chinapost', '中国邮政', '邮政', '邮政快递'], kuaidi100('youzhengguonei')],
  [['dhl', 'dhlexpress'], 'https://www.dhl.com/global-en/home/tracking.html?tracking-id='],
  [['ups'], 'https://www.ups.com/track?tracknum='],
  [['fedex', 'فيديكس'], 'https://www.fedex.com/fedextrack/?trknbr='],
  [['usps'], 'https://tools.usps.com/go/TrackConfirmAction?tLabels='],
  [['aramex', 'أرامكس', 'ارامكس'], 'https://www.aramex.com/track/results?ShipmentNumber='],
  [['smsa', 'smsaexpress', 'سمسا'], 'https://www.smsaexpress.com/trackingdetails?tracknumbers='],
  [['royalmail'], 'https://www.royalmail.com/track-your-item#/tracking-results/'],
  [['gls'], 'https://gls-group.com/track/'],
  [['laposte', 'colissimo'], 'https://www.laposte.fr/outils/suivre-vos-envois?code='],
  [['auspost', 'australiapost'], 'https://auspost.com.au/mypost/track/#/details/'],
];

const ADDRESSES = new Map(PAGES.flatMap(([names, address]) => names.map((name) => [name, address] as const)));

/** The carrier's page about this parcel, or null for a carrier that is not known. */
export function trackingUrlOf(carrier: string, trackingNumber: string): string | null {
  const address = ADDRESSES.get(carrier.normalize('NFKC').toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, ''));
  return address === undefined ? null : address + encodeURIComponent(trackingNumber.replaceAll(/\s/g, ''));
}
