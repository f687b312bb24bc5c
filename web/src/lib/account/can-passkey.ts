/** Whether this browser has passkeys at this address. Small, because it is asked before anybody wants one. */
export function canPasskey(): boolean {
  // An address of numbers cannot be what a passkey is for (WebAuthn Level 3, section 5.1.2).
  const isNamed = !/^[\d.]+$|^\[/.test(location.hostname);
  return isSecureContext && isNamed && typeof PublicKeyCredential === 'function';
}
