import type { Library } from '../../cel/function.ts';
import { pricedByTraversal } from '../../cel/libraries/call-cost.ts';
import { declare, globalOverload } from '../../cel/libraries/declare.ts';
import { STRING, TIMESTAMP } from '../../cel/types.ts';
import { CelError, Timestamp } from '../../cel/values.ts';
import { type CertificateValidity, certificateValidity } from '../../object/x509.ts';

function read(end: keyof CertificateValidity): (pem: string) => Timestamp {
  return (pem) => {
    const validity = certificateValidity(pem);
    if (validity === undefined) throw new CelError('the text is no certificate in PEM');
    return new Timestamp(validity[end] / 1000, 0);
  };
}

/** `x509.notBefore(pem)` and `x509.notAfter(pem)`: when the first certificate of a text begins and ends to be valid. */
export const X509_LIBRARY: Library = {
  name: 'fairlead.x509',
  functions: [
    declare('x509.notBefore', globalOverload('x509_not_before', [STRING], TIMESTAMP, read('notBefore'), pricedByTraversal(1))),
    declare('x509.notAfter', globalOverload('x509_not_after', [STRING], TIMESTAMP, read('notAfter'), pricedByTraversal(1))),
  ],
};
