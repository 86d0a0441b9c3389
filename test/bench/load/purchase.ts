const digits = (length: number): string =>
  Math.floor(Math.random() * 10 ** length)
    .toString()
    .padStart(length, '0');

/** The body of a purchase that repeats no other. */
export const purchaseBody = (processorCardId: string, amount: number): string =>
  `{"kind":"AUTHORIZATION","messageId":"${digits(12)}","processorCardId":"${processorCardId}","type":"pos",` +
  `"amount":${amount},"currency":"EUR","stan":"${digits(6)}","date":"2026-03-01T10:10:54+01:00",` +
  `"acquirerId":"271900","retrievalReferenceNumber":"${digits(12)}","externalTransactionId":"${digits(10)}",` +
  `"networkReferenceId":"MCC${digits(12)}","entryMode":"071","description":"BOOK STORE",` +
  `"transactionData":{"mcc":"5942","merchantIdentifier":"003060300000005","merchantName":"Book store",` +
  `"acquirerCountry":"POL"}}`;

/** A whole HTTP request to a route of the processor's channel; the body is ASCII. */
export const httpRequest = (path: string, body: string): string =>
  `POST /processor/${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n` +
  `Content-Length: ${body.length}\r\n\r\n${body}`;
