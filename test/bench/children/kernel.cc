// Runs a kernel on the rows of a text, to count its instructions: kernel ENCODER ROWS KERNEL RUNS
#include "kernels.h"

#include <cstdio>
#include <cstdlib>

#include "mapped-file.h"

int main(int count, char** arguments) {
  if (count != 5) return 2;
  const MappedFile file(arguments[1], PROT_READ, 0), rows(arguments[2], PROT_READ, 0);
  if (!file.data || !rows.data) return perror("kernel"), 1;
  const uint8_t* bytes = static_cast<const uint8_t*>(file.data);
  SectionReader sections[4];
  for (int i = 0; i < 4; i++) {
    double place[2];
    memcpy(place, bytes + 16 + 16 * i, sizeof place);
    const uint8_t* start = bytes + static_cast<size_t>(place[0]);
    sections[i] = {start, start + static_cast<size_t>(place[1])};
  }
  const Model model = readModel(sections[0], sections[1], sections[2], sections[3]);
  const int tokens = static_cast<int>(rows.size / (model.columns * sizeof(float)));
  Workspace workspace;
  workspace.reserve(model, tokens);
  std::vector<float> embedding(model.columns);
  for (const Kernel& kernel : supportedKernels())
    if (strcmp(kernel.name, arguments[3]) == 0) {
      for (int run = 0; run < atoi(arguments[4]); run++) {
        memcpy(workspace.x.data(), rows.data, rows.size);
        kernel.forward(model, workspace, tokens, embedding.data());
      }
      return 0;
    }
  fprintf(stderr, "This processor does not support the kernel %s.\n", arguments[3]);
  return 1;
}
