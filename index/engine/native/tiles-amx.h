// Tiles of sums of AMX, in its tile registers. Part of matmul.h.

// Sets the number of rows of each tile register.
static TARGET void configureTiles(int rows) {
  struct {
    uint8_t palette, start, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
  } shape = {};
  shape.palette = 1;
  const int first = rows < 16 ? rows : 16, second = rows - first;
  const int rowsOf[8] = {first, first, second, second, first, second, 16, 16};
  for (int i = 0; i < 8; i++) {
    shape.bytes[i] = rowsOf[i] > 0 ? 64 : 0;
    shape.rows[i] = rowsOf[i];
  }
  // GCC 12's intrinsic declares only 8 of these bytes as read. Without this, the optimizer drops the other stores.
  asm volatile("" : : "r"(&shape) : "memory");
  _tile_loadconfig(&shape);
}

class Tiles {
 public:
  static constexpr int ROWS = 32, BLOCKS = 2;
  static constexpr bool ALL_BLOCKS_FIRST = true;
  const uint32_t zeroPoint;

  TARGET Tiles(const Quantized& a, int, int inputs) : zeroPoint(a.zeroPoint), depth(inputs) {
    _tile_storeconfig(before);
    asm volatile("" : : "r"(before) : "memory");
  }
  Tiles(const Tiles&) = delete;
  // ONNX Runtime, if it runs in this process, configures its tiles only once.
  TARGET ~Tiles() {
    asm volatile("" : : "r"(before) : "memory");
    _tile_loadconfig(before);
  }

  // Up to 32 tokens by 32 outputs in four tile registers. A tile of activations has 16 rows of 64 bytes. A tile of
  // weights has 16 rows of 4 bytes for each of 16 outputs, the order of packed weights (Intel Architecture Instruction
  // Set Extensions, TDPBUSD).
  TARGET void multiply(int rows, const uint8_t* a, const int8_t* w, int32_t* out) {
    if (rows != configured) configureTiles(configured = rows);
    const int8_t* next = w + static_cast<size_t>(BLOCK) * depth;
    const uint8_t* below = a + static_cast<size_t>(16) * depth;
    const int stride = 2 * BLOCK * sizeof(int32_t);
    _tile_zero(0);
    _tile_zero(1);
    if (rows > 16) {
      _tile_zero(2);
      _tile_zero(3);
    }
    for (int k = 0; k < depth; k += 64) {
      _tile_loadd(4, a + k, depth);
      _tile_loadd(6, w + 16 * k, 64);
      _tile_loadd(7, next + 16 * k, 64);
      _tile_dpbusd(0, 4, 6);
      _tile_dpbusd(1, 4, 7);
      if (rows > 16) {
        _tile_loadd(5, below + k, depth);
        _tile_dpbusd(2, 5, 6);
        _tile_dpbusd(3, 5, 7);
      }
    }
    _tile_stored(0, out, stride);
    _tile_stored(1, out + BLOCK, stride);
    if (rows > 16) {
      _tile_stored(2, out + 32 * BLOCK, stride);
      _tile_stored(3, out + 33 * BLOCK, stride);
    }
  }

 private:
  const int depth;
  int configured = 0;
  uint8_t before[64];
};
