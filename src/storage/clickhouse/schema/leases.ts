/**
 * Schema version 5: who holds the leases (lease/table-lease.ts). A row is one step of a lease: taken, renewed or released. Only
 * the highest step of each name counts, and merges keep only that. The deduplication window makes an insert a
 * compare-and-set: of two inserts of the same step, the engine keeps the first.
 */
export const leasesTable = `CREATE TABLE IF NOT EXISTS leases (
  name String,
  step UInt64,
  generation UInt64,
  claim String,
  ttl_ms UInt32,
  released Bool,
  at DateTime64(3) DEFAULT now64(3)
) ENGINE = ReplacingMergeTree(step) ORDER BY name
SETTINGS non_replicated_deduplication_window=1000`
