#pragma once
namespace gsa::dev::ptx {
void cp_async_wait_all();
}  // namespace gsa::dev::ptx
