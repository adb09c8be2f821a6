// CRC-32C (RFC 3720, 12.1), the checksum that processors have an instruction for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

// index/format/checks.ts has the same number.
constexpr size_t CHECKED_BLOCK = 4096;

// Feeds a checksum a byte, or eight.
#if defined(__x86_64__)
#define CRC_TARGET __attribute__((target("sse4.2")))
CRC_TARGET inline uint32_t crcByte(uint32_t crc, uint8_t byte) { return __builtin_ia32_crc32qi(crc, byte); }
CRC_TARGET inline uint32_t crcWord(uint32_t crc, uint64_t word) {
  return static_cast<uint32_t>(__builtin_ia32_crc32di(crc, word));
}
#elif defined(__aarch64__)
// In assembler, because compilers disagree about the target of the intrinsics.
#define CRC_TARGET
inline uint32_t crcByte(uint32_t crc, uint8_t byte) {
  asm(".arch_extension crc\n\tcrc32cb %w0, %w0, %w1" : "+r"(crc) : "r"(byte));
  return crc;
}
inline uint32_t crcWord(uint32_t crc, uint64_t word) {
  asm(".arch_extension crc\n\tcrc32cx %w0, %w0, %x1" : "+r"(crc) : "r"(word));
  return crc;
}
#endif

// The checksum of each byte, for processors without the instruction.
struct CrcTable {
  uint32_t of[256] = {};
  constexpr CrcTable() {
    for (uint32_t i = 0; i < 256; i++) {
      of[i] = i;
      for (int bit = 0; bit < 8; bit++) of[i] = of[i] >> 1 ^ (of[i] & 1 ? 0x82f63b78u : 0);
    }
  }
};
constexpr CrcTable CRC_TABLE;

inline uint32_t plainCrc(const uint8_t* bytes, size_t length) {
  uint32_t crc = ~0u;
  for (size_t i = 0; i < length; i++) crc = crc >> 8 ^ CRC_TABLE.of[(crc ^ bytes[i]) & 0xff];
  return ~crc;
}

inline size_t blocksOf(size_t length) { return (length + CHECKED_BLOCK - 1) / CHECKED_BLOCK; }

// The first block whose checksum differs, or the number of blocks. The last block may be shorter than the others.
inline size_t plainDifference(const uint8_t* bytes, size_t length, const uint32_t* expected) {
  const size_t blocks = blocksOf(length);
  for (size_t i = 0; i < blocks; i++) {
    const size_t start = i * CHECKED_BLOCK, rest = length - start;
    if (plainCrc(bytes + start, rest < CHECKED_BLOCK ? rest : CHECKED_BLOCK) != expected[i]) return i;
  }
  return blocks;
}

#if defined(CRC_TARGET)
CRC_TARGET inline uint32_t fastCrc(const uint8_t* bytes, size_t length) {
  uint32_t crc = ~0u;
  size_t i = 0;
  for (uint64_t word; i + 8 <= length; i += 8) memcpy(&word, bytes + i, 8), crc = crcWord(crc, word);
  for (; i < length; i++) crc = crcByte(crc, bytes[i]);
  return ~crc;
}

// Works on four blocks at once: an instruction waits for the result of the last one of its block.
CRC_TARGET inline size_t fastDifference(const uint8_t* bytes, size_t length, const uint32_t* expected) {
  const size_t whole = length / CHECKED_BLOCK, blocks = blocksOf(length);
  size_t i = 0;
  for (; i + 4 <= whole; i += 4) {
    const uint8_t* start = bytes + i * CHECKED_BLOCK;
    uint32_t crcs[4] = {~0u, ~0u, ~0u, ~0u};
    for (size_t at = 0; at < CHECKED_BLOCK; at += 8)
      for (size_t block = 0; block < 4; block++) {
        uint64_t word;
        memcpy(&word, start + block * CHECKED_BLOCK + at, 8);
        crcs[block] = crcWord(crcs[block], word);
      }
    for (size_t block = 0; block < 4; block++)
      if (~crcs[block] != expected[i + block]) return i + block;
  }
  for (; i < blocks; i++) {
    const size_t start = i * CHECKED_BLOCK, rest = length - start;
    if (fastCrc(bytes + start, rest < CHECKED_BLOCK ? rest : CHECKED_BLOCK) != expected[i]) return i;
  }
  return blocks;
}
#else
constexpr auto fastDifference = plainDifference;
#endif

}  // namespace
