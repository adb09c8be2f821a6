/**
 * AWS's list prices in US East (N. Virginia), in dollars, without free tiers and volume discounts. AWS's pages load their prices by script,
 * so stored copies contain none. Each month is that of the newest public page found that quotes the price.
 */
export const PRICES = {
  /** https://aws.amazon.com/lambda/pricing/, 2026-05. Since August 2025, initialization is billed too. */
  lambda: {
    request: 0.2e-6,
    gigabyteSecond: { x86_64: 0.0000166667, arm64: 0.0000133334 },
    /** https://aws.amazon.com/lambda/pricing/, as of 2025: a started instance, in addition to the requests that it answers. */
    provisionedGigabyteSecond: { x86_64: 0.0000041667, arm64: 0.0000033334 },
    /** https://aws.amazon.com/lambda/pricing/, as of 2025: disk beyond 512 MB, on both processors. */
    diskGigabyteSecond: 0.0000000309,
  },
  /** https://aws.amazon.com/api-gateway/pricing/, 2025-05: the first 300 million requests of up to 512 KB. Throttled requests are free. */
  httpApiRequest: 1e-6,
  /** https://aws.amazon.com/cloudwatch/pricing/, 2026-06: ingested logs, and a month of a metric, an alarm, a dashboard. */
  cloudWatch: { logGigabyte: 0.5, metric: 0.3, alarm: 0.1, dashboard: 3 },
  /** https://aws.amazon.com/sqs/pricing/, as of 2025: a request to a standard queue. */
  sqsRequest: 0.4e-6,
  /** https://aws.amazon.com/waf/pricing/, as of 2025: a month of a web ACL and of a rule, and a request. */
  waf: { webAcl: 5, rule: 1, request: 0.6e-6 },
  /** https://aws.amazon.com/vpc/pricing/, as of 2025: a NAT gateway, and the gigabytes that pass it. */
  nat: { hour: 0.045, gigabyte: 0.045 },
  /** https://aws.amazon.com/ec2/pricing/on-demand/, 2026: from AWS to the internet, the first 10 TB. */
  transferGigabyte: 0.09,
  /** https://aws.amazon.com/opensearch-service/pricing/, 2026-02: an hour of a compute unit. */
  openSearchUnitHour: 0.24,
  /**
   * https://aws.amazon.com/s3/pricing/, tab Vectors. From AWS's price feed of 2026-09-28 as a public repository quotes it; AWS's first
   * two examples, quoted in 2025, agree. Other pages quote 0.05 dollars a GB and 0.01 dollars a GB processed, which contradict them.
   */
  s3Vectors: {
    storageGigabyteMonth: 0.06,
    putGigabyte: 0.2,
    query: 2.5e-6,
    /** GetVectors and other requests: quoted once. */
    get: 0.055e-3,
    /** A terabyte of vectors, keys and filterable metadata, by the number of the vector in its index. Reduced in June 2026 above 10 million. */
    processedTerabyte: [
      { upTo: 1e5, price: 0.004 },
      { upTo: 1e7, price: 0.002 },
      { upTo: Number.POSITIVE_INFINITY, price: 0.0004 },
    ],
    returnedGigabyte: 0.01,
    /** Bytes that each query returns for free. */
    freeReturned: 512 * 1024,
  },
  /** https://aws.amazon.com/s3/pricing/, 2026: the class Standard. */
  s3: { storageGigabyteMonth: 0.023, get: 0.4e-6 },
  /** https://aws.amazon.com/cloudfront/pricing/, 2026-03: requests over HTTPS and transfer in North America and Europe. */
  cloudFront: { request: 1e-6, transferGigabyte: 0.085 },
  server: {
    /** https://aws.amazon.com/ec2/pricing/on-demand/, 2026-04: t3.small, with 2 GB and two virtual processors, of which 0.4 can be used permanently. */
    hour: 0.0208,
    /** https://aws.amazon.com/vpc/pricing/, as of 2025: a public address. */
    addressHour: 0.005,
    /** https://aws.amazon.com/ebs/pricing/, as of 2025: 8 GB of gp3. */
    diskMonth: 8 * 0.08,
  },
};

/** AWS's length of a month. */
export const HOURS_A_MONTH = 730;
